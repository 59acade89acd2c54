"use strict";
// The inner loop of every convolution: the outputs of four neighbouring pixels in eight channels. It is assembled here as
// WebAssembly with SIMD, instruction by instruction; where a browser lacks that, the same loop runs in JavaScript.
//
//   tile(input, step, segments, jump, length, weights, bias, added, addedStep, floor, output, outputStep)
//
// What a filter sees of an image are `segments` lines of `length` numbers. They begin at `input`, lie `jump` apart, and
// begin `step` later for the next pixel. `weights` has eight numbers, one of each channel, for every number of these
// lines. `bias` points to eight numbers, `added` to eight for each pixel, `addedStep` apart. No output is below `floor`.
// All pointers and steps count bytes.
const Kernel = (() => {
  const PIXELS = 4, CHANNELS = 8;
  /** Bytes of a float, of four that are computed at once, and of a memory page of WebAssembly. */
  const FLOAT = 4, VECTOR = 16, PAGE = 65536;

  // Instructions of WebAssembly, as bytes. A vector is four floats.
  const I32 = 0x7f, F32 = 0x7d, V128 = 0x7b, NOTHING = 0x40;
  const get = (local) => [0x20, local], set = (local) => [0x21, local], tee = (local) => [0x22, local];
  const number = (value) => [0x41, ...signed(value)];
  const ADD_I32 = [0x6a], SUB_I32 = [0x6b];
  const loop = (...body) => [0x03, NOTHING, ...body.flat(), 0x0b], AGAIN_IF_NOT_0 = [0x0d, 0];
  const load = (offset) => [0xfd, 0x00, 2, ...unsigned(offset)], store = (offset) => [0xfd, 0x0b, 2, ...unsigned(offset)];
  const LOAD_SPLAT = [0xfd, 0x09, 2, 0], SPLAT = [0xfd, 0x13];
  const ADD = [0xfd, ...unsigned(0xe4)], MULTIPLY = [0xfd, ...unsigned(0xe6)], MAX = [0xfd, ...unsigned(0xe9)];

  /** Returns a number in LEB128, as WebAssembly writes numbers. */
  function unsigned(value) {
    return value < 128 ? [value] : [128 | (value & 127), ...unsigned(value >>> 7)];
  }
  function signed(value) {
    return value >= -64 && value < 64 ? [value & 127] : [128 | (value & 127), ...signed(value >> 7)];
  }

  /** Returns the bytes of a module that exports `tile`. */
  function assembled() {
    const [INPUT, STEP, SEGMENTS, JUMP, LENGTH, WEIGHTS, BIAS, ADDED, ADDED_STEP, FLOOR, OUTPUT, OUTPUT_STEP] = range(12);
    const [AT, PIXEL, LEFT] = [12, 13, 14], [LOW, HIGH, VALUE] = [15, 16, 17];
    const sum = (pixel, half) => 18 + 2 * pixel + half;  // Eight sums: of four pixels, each of two halves.
    const pixels = range(PIXELS), sums = pixels.flatMap((pixel) => [[pixel, 0], [pixel, 1]]);
    const forward = (pointer, by) => [get(pointer), by, ADD_I32, set(pointer)].flat();
    const back = (local) => [get(local), number(1), SUB_I32, tee(local)].flat();
    const body = [
      ...pixels.map((pixel) => [
        ...[0, 1].map((half) => [get(BIAS), load(half * VECTOR), get(ADDED), load(half * VECTOR), ADD, set(sum(pixel, half))].flat()),
        ...forward(ADDED, get(ADDED_STEP)),
      ].flat()),
      loop(
        get(INPUT), set(AT), get(LENGTH), set(LEFT),
        loop(
          get(WEIGHTS), load(0), set(LOW), get(WEIGHTS), load(VECTOR), set(HIGH), get(AT), set(PIXEL),
          ...pixels.map((pixel) => [
            get(PIXEL), LOAD_SPLAT, set(VALUE),
            get(sum(pixel, 0)), get(VALUE), get(LOW), MULTIPLY, ADD, set(sum(pixel, 0)),
            get(sum(pixel, 1)), get(VALUE), get(HIGH), MULTIPLY, ADD, set(sum(pixel, 1)),
            forward(PIXEL, get(STEP)),
          ].flat()),
          forward(AT, number(FLOAT)), forward(WEIGHTS, number(CHANNELS * FLOAT)),
          back(LEFT), AGAIN_IF_NOT_0,
        ),
        forward(INPUT, get(JUMP)),
        back(SEGMENTS), AGAIN_IF_NOT_0,
      ),
      ...sums.map(([pixel, half]) => [
        get(OUTPUT), get(sum(pixel, half)), get(FLOOR), SPLAT, MAX, store(half * VECTOR),
        half ? forward(OUTPUT, get(OUTPUT_STEP)) : [],
      ].flat()),
    ].flat();
    const text = (words) => [words.length, ...new TextEncoder().encode(words)];
    const section = (id, ...content) => [id, ...unsigned(content.flat().length), ...content.flat()];
    const parameters = range(12).map((local) => (local === FLOOR ? F32 : I32));
    const code = [2, 3, I32, 3 + sums.length, V128, ...body, 0x0b];
    return new Uint8Array([
      0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
      ...section(1, [1, 0x60, parameters.length, ...parameters, 0]),            // the type of tile
      ...section(2, [1, ...text("page"), ...text("memory"), 2, 0, 1]),          // the memory that it works in
      ...section(3, [1, 0]),
      ...section(7, [1, ...text("tile"), 0, 0]),
      ...section(10, [1, ...unsigned(code.length), ...code]),
    ]);
  }

  const range = (count) => [...Array(count).keys()];

  /** Returns the same loop in JavaScript, pixel by pixel. */
  function plain(numbers) {
    const f = Math.fround, at = (pointer) => pointer / FLOAT | 0;
    return (input, step, segments, jump, length, weights, bias, added, addedStep, floor, output, outputStep) => {
      for (let pixel = 0; pixel < PIXELS; pixel++) {
        const b = at(bias), a = at(added + pixel * addedStep), out = at(output + pixel * outputStep);
        const first = (channel) => f(numbers[b + channel] + numbers[a + channel]);
        let s0 = first(0), s1 = first(1), s2 = first(2), s3 = first(3);
        let s4 = first(4), s5 = first(5), s6 = first(6), s7 = first(7);
        for (let segment = 0, w = at(weights); segment < segments; segment++) {
          const from = at(input + pixel * step + segment * jump), end = from + length;
          for (let k = from; k < end; k++, w += CHANNELS) {
            const value = numbers[k];
            s0 = f(s0 + f(value * numbers[w]));
            s1 = f(s1 + f(value * numbers[w + 1]));
            s2 = f(s2 + f(value * numbers[w + 2]));
            s3 = f(s3 + f(value * numbers[w + 3]));
            s4 = f(s4 + f(value * numbers[w + 4]));
            s5 = f(s5 + f(value * numbers[w + 5]));
            s6 = f(s6 + f(value * numbers[w + 6]));
            s7 = f(s7 + f(value * numbers[w + 7]));
          }
        }
        [s0, s1, s2, s3, s4, s5, s6, s7].forEach((sum, channel) => { numbers[out + channel] = Math.max(floor, sum); });
      }
    };
  }

  /** Returns {numbers, tile, fast}: a memory of so many floats, all 0, and the loop that works in it. */
  function on(size, {simd = true} = {}) {
    try {
      if (!simd) throw new Error("not wanted");
      const memory = new WebAssembly.Memory({initial: Math.ceil((size * FLOAT) / PAGE)});
      const {tile} = new WebAssembly.Instance(new WebAssembly.Module(assembled()), {page: {memory}}).exports;
      return {numbers: new Float32Array(memory.buffer), tile, fast: true};
    } catch {  // The browser has none, has one without SIMD, or forbids it to pages.
      const numbers = new Float32Array(size);
      return {numbers, tile: plain(numbers), fast: false};
    }
  }

  return {PIXELS, CHANNELS, FLOAT, on};
})();
