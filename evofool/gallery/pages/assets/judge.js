"use strict";
// A worker: it scores genomes by the network, which is shown the 8-bit image, and draws them.
(() => {
  let network, frame;
  const JOBS = {
    begin(message) {
      frame = message.frame;
      network = Network.build(message.network, message.weights, message.options);
      return {fast: network.fast};
    },
    score({genomes}) {
      const [, height, width] = frame.shape;
      return {scores: genomes.map((genome) => network.scores(Cppn.render(genome, frame, width, height)))};
    },
    draw({genome, width, height}) {
      return {bytes: Cppn.render(genome, frame, width, height)};
    },
  };
  onmessage = ({data}) => postMessage(JOBS[data.job](data));
})();
