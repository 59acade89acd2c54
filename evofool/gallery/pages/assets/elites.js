"use strict";
// The surest picture of every class, and MAP-Elites in the page (Mouret & Clune 2015), as evofool's own search has it:
// search/selectors.py, search/emitters/ and docs/SEARCH.md say where it comes from.
const Elites = (() => {
  /** Confidences from which a class counts as sure. The lowest level that some class has not reached applies. */
  const SURE = [0.99, 0.999, 0.9999, 0.99999, 0.999999];
  /** How many first pictures are random, and after how many others begin: slight changes, and new starts. */
  const FIRST = 100, TWEAK = 500, RESTART = 1000;
  /** Shares of parents that are drawn from all classes alike, and of the weakest class among slight changes. */
  const UNIFORM = 0.2, UNSURE_UNIFORM = 0.05, WEAKEST = 0.1;
  /** Lineages that new starts keep side by side, genomes of each, children without a better one after which it is given
   * up, and children after which it is given up in any case. */
  const LINEAGES = 5, KEPT = 10, PATIENCE = 200, MAX_AGE = 1600;

  /** Returns an archive: the elite of each class, {genome, scores, confidence, generation}, or null before there is any. */
  function archive(classes) {
    const elites = Array(classes).fill(null);
    let generation = 0;

    /** Lets every picture compete in every class; returns the classes that have a new elite. */
    function tell(genomes, scores) {
      const won = new Set();
      generation++;
      genomes.forEach((genome, row) => {
        for (let k = 0; k < classes; k++) {
          const confidence = scores[row][k];
          if (elites[k] && confidence <= elites[k].confidence) continue;
          elites[k] = {genome, scores: scores[row], confidence, generation};
          won.add(k);
        }
      });
      return [...won];
    }

    const lowest = () => Math.min(...elites.map((elite) => elite ? elite.confidence : 0));
    const sureLevel = () => SURE.find((level) => lowest() < level) || SURE.at(-1);
    const held = () => elites.filter(Boolean);
    return {elites, tell, lowest, sureLevel, held};
  }

  /** Returns weights of elites that fall with their age in generations, counted from the newest. */
  function youth(elites) {
    const newest = Math.max(...elites.map((elite) => elite.generation));
    return elites.map((elite) => Math.exp(elite.generation - newest));
  }

  /** Returns a search that goes on from an archive: `ask(n)` returns children, `tell` takes their scores. */
  function search(archive, kind, stream) {
    let evaluations = 0, lineages = [], asked = [];

    const drawn = (elites, weights) => elites[stream.weighted(weights)];
    const slightly = (genome) => Variation.mutateSlightly(genome, kind, stream.uniform() < kind.slightly.kept, stream);

    /** Mutates elites, new ones above all. */
    function vary(n) {
      const elites = archive.held(), weights = youth(elites);
      return Array.from({length: n}, () => {
        const parent = stream.uniform() < UNIFORM ? stream.one(elites) : drawn(elites, weights);
        return Variation.mutate(parent.genome, kind, stream);
      });
    }

    /** Changes elites slightly that are not sure yet: half of them by age, half alike, a tenth the weakest. */
    function tweak(n) {
      const elites = archive.held(), level = archive.sureLevel();
      const unsure = elites.filter((elite) => elite.confidence < level);
      if (!unsure.length) return vary(n);
      const ages = youth(unsure), total = ages.reduce((sum, weight) => sum + weight, 0);
      const lowest = unsure.reduce((a, b) => (b.confidence < a.confidence ? b : a));
      const weights = unsure.map((elite, i) =>
        ((1 - WEAKEST) / 2) * (1 / unsure.length + ages[i] / total) + (elite === lowest ? WEAKEST : 0));
      return Array.from({length: n}, () => {
        const parent = stream.uniform() < UNSURE_UNIFORM ? stream.one(elites) : drawn(unsure, weights);
        return slightly(parent.genome);
      });
    }

    /** Goes on with lineages that climb to a class that is not sure, whether they beat its elite or not. */
    function restart(n) {
      const level = archive.sureLevel(), unsure = [...archive.elites.keys()].filter((k) => archive.elites[k].confidence < level);
      if (!unsure.length) return vary(n);
      lineages = lineages.filter((line) => line.stale < PATIENCE && line.age < MAX_AGE && unsure.includes(line.target));
      while (lineages.length < LINEAGES) lineages.push(begin(unsure));
      return Array.from({length: n}, (_, i) => {
        const line = lineages[i % LINEAGES], child = slightly(stream.one(line.best).genome);
        asked.push({line, row: i});
        return child;
      });
    }

    /** Returns a lineage for the weakest class that has none: it begins from the elites of others that score it highest. */
    function begin(unsure) {
      const free = unsure.filter((k) => !lineages.some((line) => line.target === k));
      const target = (free.length ? free : unsure).reduce((a, b) =>
        (archive.elites[b].confidence < archive.elites[a].confidence ? b : a));
      const own = archive.elites[target], others = [...new Set(archive.elites.filter((elite) => elite.genome !== own.genome))];
      const score = ({genome, scores}) => ({genome, score: scores[target]});
      const best = (others.length ? others : [own]).map(score).sort((a, b) => b.score - a.score).slice(0, KEPT);
      return {target, best, age: 0, stale: 0};
    }

    function ask(n) {
      asked = [];
      if (evaluations < FIRST || !archive.held().length) return Array.from({length: n}, () => Variation.random(kind, stream));
      const begun = [vary, ...(evaluations >= TWEAK ? [tweak] : []), ...(evaluations >= RESTART ? [restart] : [])];
      return stream.one(begun)(n);
    }

    /** Takes the scores of the children that were asked for last; returns the classes that have a new elite. */
    function tell(children, scores) {
      evaluations += children.length;
      for (const {line, row} of asked) {
        const score = scores[row][line.target];
        line.age++;
        line.stale = score > line.best[0].score ? 0 : line.stale + 1;
        if (line.best.some((one) => one.score === score)) continue;
        line.best = [...line.best, {genome: children[row], score}].sort((a, b) => b.score - a.score).slice(0, KEPT);
      }
      return archive.tell(children, scores);
    }

    return {ask, tell};
  }

  return {archive, search};
})();
