"use strict";
// The network at work in the background: a few workers, and what they are asked, most urgent first.
const Judges = (() => {
  /** Most workers, and pictures that a worker is given at once. */
  const MOST = 4, CHUNK = 6;
  const waiting = [], idle = [];
  let failed = null;

  /** Starts the workers. Their scripts are those of the page that are marked. */
  function begin() {
    const scripts = [...document.querySelectorAll("script[data-worker]")].map((script) => script.textContent);
    const address = URL.createObjectURL(new Blob(scripts, {type: "text/javascript"}));
    const letters = atob(Dom.byId("weights").textContent), bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    const weights = new Float32Array(bytes.buffer), {frame, network} = Setup;
    const count = Math.max(1, Math.min(MOST, navigator.hardwareConcurrency || 2));
    for (let i = 0; i < count; i++) {
      const worker = new Worker(address);
      worker.onerror = (event) => failed?.(event.message);
      run(worker, {message: {job: "begin", frame, network, weights}, done: () => {}});
    }
  }

  function run(worker, {message, done}) {
    worker.onmessage = ({data}) => {
      idle.push(worker);
      next();
      done(data);
    };
    worker.postMessage(message);
  }

  function next() {
    while (idle.length && waiting.length) {
      const job = waiting.shift();
      if (job.wanted()) run(idle.pop(), job);
    }
  }

  function ask(message, {urgent = false, wanted = () => true} = {}) {
    return new Promise((done) => {
      const job = {message, done, wanted, urgent};
      if (urgent) waiting.splice(waiting.filter((other) => other.urgent).length, 0, job);
      else waiting.push(job);
      next();
    });
  }

  /** Resolves to the probabilities of every class for each genome's picture. */
  async function score(genomes, options) {
    const parts = [];
    for (let at = 0; at < genomes.length; at += CHUNK) parts.push(genomes.slice(at, at + CHUNK));
    const answers = await Promise.all(parts.map((part) => ask({job: "score", genomes: part}, options)));
    return answers.flatMap((answer) => answer.scores);
  }

  /** Resolves to a genome's picture as ImageData. It never does where `wanted` says that nobody waits any more. */
  async function draw(genome, width, height, wanted) {
    const {bytes} = await ask({job: "draw", genome, width, height}, {urgent: true, wanted});
    return new ImageData(bytes, width, height);
  }

  /** Has a function called with a message if the browser can't do this. */
  const onFailure = (tell) => { failed = tell; };

  return {begin, score, draw, onFailure};
})();
