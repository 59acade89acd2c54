"use strict";
// A network that is computed in the page: convolutions, pools and shortcuts, from an image's bytes to probabilities.
const Network = (() => {
  const {PIXELS, CHANNELS, FLOAT} = Kernel;
  const padded = (channels) => Math.ceil(channels / CHANNELS) * CHANNELS;

  /** Returns a network.
   *
   * description: {shape: [C, H, W], mean, std, layers}. A layer is {kind: "convolution", shape: [O, I, h, w], stride,
   *   padding, shortcut, relu}, {kind: "pool"} or {kind: "mean"}, as targets/layers.py has them.
   * weights: The floats of all convolutions, one after the other: first (O, I, h, w), then (O,) biases.
   *
   * Activations are planes of pixels with their channels side by side, as many as fit the kernel, and with the border of
   * zeros around them that the next layer wants. */
  function build({shape, mean, std, layers}, weights, options) {
    let size = 0;
    const room = (floats) => { const at = size; size += floats; return at; };
    const plane = (channels, height, width, border) => {
      const wide = width + 2 * border;
      return {channels, height, width, border, wide, at: room(channels * wide * (height + 2 * border))};
    };
    const borderBefore = (index) => layers[index]?.padding || 0;
    const [depth, height, width] = shape, input = plane(depth, height, width, borderBefore(0));
    const nothing = room(CHANNELS * PIXELS);
    let read = 0, last = input, beforeLast = input;
    const steps = layers.map((layer, index) => {
      const from = last, border = borderBefore(index + 1), step = {...layer, from};
      if (layer.kind === "convolution") {
        const [outputs, , h, w] = layer.shape, {stride, padding} = layer;
        const down = Math.floor((from.height + 2 * padding - h) / stride) + 1;
        const across = Math.floor((from.width + 2 * padding - w) / stride) + 1;
        step.to = plane(padded(outputs), down, across, border);
        step.weights = room(step.to.channels * h * w * from.channels);
        step.bias = room(step.to.channels);
        step.read = read;
        read += outputs * layer.shape[1] * h * w + outputs;
        if (layer.shortcut) {
          step.short = beforeLast;
          if (beforeLast.width !== across) step.short = step.shrunk = plane(step.to.channels, down, across, 0);
          step.before = beforeLast;
        }
      } else if (layer.kind === "pool") step.to = plane(from.channels, from.height >> 1, from.width >> 1, border);
      else step.to = plane(from.channels, 1, 1, border);
      beforeLast = from;
      last = step.to;
      return step;
    });
    const classes = layers.at(-1).shape[0], {numbers, tile, fast} = Kernel.on(size, options);
    for (const step of steps) if (step.kind === "convolution") pack(step, weights, numbers);

    /** Returns the probabilities of the classes for an image's RGBA bytes; of a grey image red is read. */
    function scores(bytes) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const to = input.at + ((y + input.border) * input.wide + x + input.border) * depth, from = 4 * (y * width + x);
          for (let c = 0; c < depth; c++) numbers[to + c] = (bytes[from + c] / 255 - mean[c]) / std[c];
        }
      }
      for (const step of steps) RUN[step.kind](step, numbers, tile, nothing);
      return softmax(numbers.subarray(last.at, last.at + classes));
    }

    return {scores, classes, fast};
  }

  /** Writes the weights of a convolution as the kernel reads them: eight channels of output, filter by filter, line by
   * line. Channels that only fill up have weights of 0. */
  function pack({shape: [outputs, inputs, h, w], from, to, weights, bias, read}, all, numbers) {
    for (let o = 0; o < outputs; o++) {
      const block = weights + Math.floor(o / CHANNELS) * h * w * from.channels * CHANNELS + (o % CHANNELS);
      for (let i = 0; i < inputs; i++) {
        for (let place = 0; place < h * w; place++) {
          numbers[block + (place * from.channels + i) * CHANNELS] = all[read + (o * inputs + i) * h * w + place];
        }
      }
      numbers[bias + o] = all[read + outputs * inputs * h * w + o];
    }
  }

  const RUN = {
    convolution({shape: [, , h, w], stride, padding, relu, shrunk, short, before, from, to, weights, bias}, numbers, tile, nothing) {
      if (shrunk) shrink(before, shrunk, numbers);
      const lines = w * from.channels, jump = from.wide * from.channels * FLOAT, floor = relu ? 0 : -Infinity;
      const next = stride * from.channels * FLOAT, edge = from.border - padding, pixel = to.channels * FLOAT;
      // A row of less than four pixels is computed pixel by pixel, each four times over.
      const several = to.width >= PIXELS, across = several ? PIXELS : 1;
      for (let y = 0; y < to.height; y++) {
        for (let tiled = 0; tiled < to.width; tiled += across) {
          const x = Math.min(tiled, to.width - across);
          const seen = from.at + ((y * stride + edge) * from.wide + x * stride + edge) * from.channels;
          const output = to.at + ((y + to.border) * to.wide + x + to.border) * to.channels;
          const added = short && short.at + ((y + short.border) * short.wide + x + short.border) * short.channels;
          for (let o = 0; o < to.channels; o += CHANNELS) {
            tile(
              seen * FLOAT, several ? next : 0, h, jump, lines, (weights + o * h * lines) * FLOAT, (bias + o) * FLOAT,
              (short ? added + o : nothing) * FLOAT, short && several ? pixel : 0, floor,
              (output + o) * FLOAT, several ? pixel : 0,
            );
          }
        }
      }
    },

    pool({from, to}, numbers) {
      const right = from.channels, below = from.wide * from.channels;
      for (let y = 0; y < to.height; y++) {
        for (let x = 0; x < to.width; x++) {
          const a = from.at + ((2 * y + from.border) * from.wide + 2 * x + from.border) * from.channels;
          const b = to.at + ((y + to.border) * to.wide + x + to.border) * to.channels;
          for (let c = 0; c < to.channels; c++) {
            const top = Math.max(numbers[a + c], numbers[a + c + right]);
            numbers[b + c] = Math.max(top, numbers[a + c + below], numbers[a + c + below + right]);
          }
        }
      }
    },

    mean({from, to}, numbers) {
      for (let c = 0; c < to.channels; c++) {
        let sum = 0;
        for (let y = 0; y < from.height; y++) {
          for (let x = 0; x < from.width; x++) {
            sum += numbers[from.at + ((y + from.border) * from.wide + x + from.border) * from.channels + c];
          }
        }
        numbers[to.at + c] = sum / (from.width * from.height);
      }
    },
  };

  /** Writes every second pixel of a plane into the middle channels of another one (He et al. 2016, option A). */
  function shrink(from, to, numbers) {
    const first = (to.channels - from.channels) / 2;
    for (let y = 0; y < to.height; y++) {
      for (let x = 0; x < to.width; x++) {
        const a = from.at + ((2 * y + from.border) * from.wide + 2 * x + from.border) * from.channels;
        numbers.copyWithin(to.at + (y * to.wide + x) * to.channels + first, a, a + from.channels);
      }
    }
  }

  function softmax(logits) {
    const largest = Math.max(...logits), powers = Array.from(logits, (logit) => Math.exp(logit - largest));
    const sum = powers.reduce((total, power) => total + power, 0);
    return Float32Array.from(powers, (power) => power / sum);
  }

  return {build};
})();
