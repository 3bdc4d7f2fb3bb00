// The layers of the page's LeNet for a test picture: their maps, filters, probabilities.
"use strict";
{
  const SIDE = 32; // of a picture
  const QUIET = 400; // milliseconds without a change before it is announced

  // The page's network ----------------------------------------------------------------

  const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

  function readLayer({ weights, scale, bias }) {
    const wholeNumbers = new Int8Array(bytesOf(weights).buffer); // a row per output
    return { weights: Float32Array.from(wholeNumbers, (weight) => weight * scale), bias };
  }

  /** A convolution of maps, each an array of side × side, and its ReLU. */
  function convolve({ weights, bias }, maps, side) {
    const kernel = Math.sqrt(weights.length / bias.length / maps.length);
    const newSide = side - kernel + 1;
    return bias.map((start, filter) => {
      const sums = new Float32Array(newSide ** 2).fill(start);
      let at = filter * maps.length * kernel ** 2;
      for (const map of maps)
        for (let down = 0; down < kernel; down++)
          for (let across = 0; across < kernel; across++, at++)
            for (let row = 0; row < newSide; row++)
              for (let column = 0; column < newSide; column++)
                sums[row * newSide + column] +=
                  weights[at] * map[(row + down) * side + column + across];
      return sums.map((sum) => Math.max(sum, 0));
    });
  }

  /** The largest of each two by two places. */
  function pool(maps, side) {
    const newSide = side / 2;
    return maps.map((map) =>
      Float32Array.from({ length: newSide ** 2 }, (_, i) => {
        const corner = 2 * Math.floor(i / newSide) * side + 2 * (i % newSide);
        const places = [corner, corner + 1, corner + side, corner + side + 1];
        return Math.max(...places.map((place) => map[place]));
      })
    );
  }

  function linear({ weights, bias }, input) {
    return bias.map((value, row) => {
      const start = row * input.length;
      for (let i = 0; i < input.length; i++) value += weights[start + i] * input[i];
      return value;
    });
  }

  function softmax(logits) {
    const largest = Math.max(...logits);
    const powers = logits.map((logit) => Math.exp(logit - largest));
    const sum = powers.reduce((total, power) => total + power);
    return powers.map((power) => power / sum);
  }

  /** The page's `forward`: the maps of four steps, and the probabilities. */
  function look(network, picture) {
    const { conv1, conv2, linear1, linear2, linear3 } = network.layers;
    const pixels = network.mean.map((mean, channel) =>
      Float32Array.from(
        picture.subarray(channel * SIDE ** 2, (channel + 1) * SIDE ** 2),
        (byte) => (byte - mean) / network.std[channel]
      )
    );
    const first = convolve(conv1, pixels, SIDE), firstPooled = pool(first, 28);
    const second = convolve(conv2, firstPooled, 14), secondPooled = pool(second, 10);
    let values = secondPooled.flatMap((map) => [...map]);
    for (const layer of [linear1, linear2])
      values = linear(layer, values).map((value) => Math.max(value, 0));
    const chances = softmax(linear(linear3, values));
    return { maps: [first, firstPooled, second, secondPooled], chances };
  }
