// The page's network on the rings, epoch by epoch: its map, its errors and its loss.
"use strict";
{
  const EDGE = 4.5; // of the plane, in each direction, as in the page's figure
  const GRID = 91; // places along a side of the map, as there
  const PACE = 110; // milliseconds for an epoch, when it plays
  const QUIET = 700; // milliseconds without a change before the result is announced

  // The page's network ----------------------------------------------------------------

  const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

  /** Weights of all epochs, flat as `parameters_to_vector` makes them: 67 by 307. */
  function readWeights({ sizes, weights, scale }) {
    const wholeNumbers = new Int16Array(bytesOf(weights).buffer);
    const perEpoch = sizes.slice(1).reduce((sum, n, i) => sum + n * (sizes[i] + 1), 0);
    const all = Float32Array.from(wholeNumbers, (weight) => weight * scale);
    return Array.from({ length: all.length / perEpoch }, (_, epoch) =>
      all.subarray(epoch * perEpoch, (epoch + 1) * perEpoch)
    );
  }

  /** The logit of a point, its coordinates standardised. */
  function logit(sizes, weights, point) {
    let values = point, at = 0;
    for (let layer = 1; layer < sizes.length; layer++) {
      const [n_in, n_out] = [sizes[layer - 1], sizes[layer]];
      const bias = at + n_in * n_out, outputs = new Float64Array(n_out);
      for (let row = 0; row < n_out; row++) {
        let sum = weights[bias + row];
        for (let i = 0; i < n_in; i++) sum += weights[at++] * values[i];
        outputs[row] = layer < sizes.length - 1 ? Math.max(sum, 0) : sum;
      }
      at = bias + n_out;
      values = outputs;
    }
    return values[0];
  }

  /** The file with its bytes read, and what the widget asks of it. */
  function read(file) {
    const weights = readWeights(file);
    const places = new Float32Array(bytesOf(file.points).buffer);
    const points = file.labels.map((isCloud, i) => ({
      x: places[2 * i], y: places[2 * i + 1], isCloud: isCloud === 1,
    }));
    const answer = (epoch, x, y) => {
      const point = [(x - file.mean[0]) / file.std[0], (y - file.mean[1]) / file.std[1]];
      return logit(file.sizes, weights[epoch], point);
    };
    const wrong = (epoch) =>
      points.filter(({ x, y, isCloud }) => answer(epoch, x, y) > 0 !== isCloud);
    const { losses, errors } = file; // of the epochs from 1
    return { points, answer, wrong, losses, errors, last: weights.length - 1 };
  }

  // The map -----------------------------------------------------------------------------

  const coordinate = (i) => -EDGE + (i / (GRID - 1)) * 2 * EDGE;

  /** Logits at the places of the grid: a row for each y, from below. */
  function logitsOf(network, epoch) {
    const rows = Array.from({ length: GRID }, (_, i) => coordinate(i));
    return rows.map((y) => rows.map((x) => network.answer(epoch, x, y)));
  }

  /** Where the logit is zero, a line through each triangle of the grid, as an SVG path. */
  function boundaryPath(logits) {
    const path = [];
    const crossing = ([i, j], [k, l]) => {
      const [from, to] = [logits[j][i], logits[l][k]];
      if (from > 0 === to > 0) return [];
      const share = from / (from - to);
      const x = coordinate(i + share * (k - i)), y = coordinate(j + share * (l - j));
      return [`${x.toFixed(3)},${(-y).toFixed(3)}`];
    };
    for (let j = 0; j < GRID - 1; j++)
      for (let i = 0; i < GRID - 1; i++)
        for (const corner of [[i + 1, j], [i, j + 1]]) {
          const [start, end] = [[i, j], [i + 1, j + 1]];
          const ends = [[start, corner], [corner, end], [end, start]]
            .flatMap(([from, to]) => crossing(from, to));
          if (ends.length) path.push(`M${ends.join("L")}`);
        }
    return path.join("");
  }
