// Breadth-first search and connected components on graphs in files. The question and the predictions are in README.md.
import { besideBest } from '../beside_best.ts';
import type { Experiment, Finder, Measured, Point } from '../experiment.ts';
import { roundOf } from '../lists.ts';
import type { PreparedSystem } from '../system.ts';
import { beside, ratio } from '../verdict.ts';
import { lowest, visit } from '../workloads/neighbours.ts';
import { components, distances, type Graph, type GraphKind, hub, makeGraph, neighbourAccesses, UNREACHED, writeGraph } from './graph.ts';

const PAGE = 4096;
const kinds: GraphKind[] = ['power_law', 'uniform'];

const ofPowerLaw = (algorithm: string, system: string, other: string): ((find: Finder) => number | undefined) => beside('rate', system, other, { graph: 'power_law', algorithm });

export const experiment: Experiment = {
  name: 'graph',
  title: 'Graphs in files',
  question: 'How many edges a second do breadth-first search and connected components go along when the lists of neighbours lie in a file that does not fit?',
  metrics: { rate: 'Medges/s', rounds: 'rounds' },
  options: [
    { name: 'scale', what: 'the graphs have 2 to the power of it vertices', min: 6, max: 26, usual: 15, tiny: 9, full: 20, gpu: { usual: 18, full: 18 } },
    { name: 'degree', what: 'neighbours of a vertex in the mean', min: 2, max: 1024, usual: 16, tiny: 16, full: 32, gpu: { usual: 32 } },
    { name: 'line-bytes', what: 'bytes of a line of a cache, a power of two', min: 512, max: 65_536, powerOfTwo: true, usual: PAGE, tiny: PAGE },
    { name: 'warps', what: 'warps', min: 1, max: 4096, usual: 64, tiny: 8, gpu: { usual: 4096 } },
  ],
  predictions: [
    besideBest('rate', 'breadth-first search of the power-law graph', { graph: 'power_law', algorithm: 'search' }, 'many small accesses with some reuse: hits are cheap, and misses at the limit of the bus'),
    {
      what: 'warpfs, components, power law beside uniform', unit: 'x', atLeast: 0.9, atMost: 3,
      because: 'all lists are read in order either way; long lists fill more of a read, and half of the vertices have short ones in both graphs',
      measured: (find) => ratio(find('rate', 'warpfs', { graph: 'power_law', algorithm: 'components' }), find('rate', 'warpfs', { graph: 'uniform', algorithm: 'components' })),
    },
    {
      what: 'mapped beside warpfs, search, uniform', unit: 'x', atLeast: 2,
      because: 'a list of 16 neighbours is 64 bytes: a call of 32 lanes for so little is mostly meeting',
      measured: beside('rate', 'mapped', 'warpfs', { graph: 'uniform', algorithm: 'search' }),
    },
  ],
  papers: [
    { system: 'BaM', what: 'search, beside all of the graph in the memory of the host', value: 1, unit: 'x', on: 'A100, 4 Optane P5800X', source: 'arXiv 2203.04910v3', ours: ofPowerLaw('search', 'warpfs', 'mapped'), design: ofPowerLaw('search', 'bam', 'mapped') },
    { system: 'BaM', what: 'components, beside the same', value: 1.49, unit: 'x', on: 'A100, 4 Optane P5800X', source: 'arXiv 2203.04910v3', ours: ofPowerLaw('components', 'warpfs', 'mapped'), design: ofPowerLaw('components', 'bam', 'mapped') },
    { system: 'AGILE', what: 'search beside BaM, cold, graph of 2^20 vertices', value: 1.78, unit: 'x', on: 'RTX 5000 Ada, 3 NVMe', source: 'its repository, sweep_results.json', ours: ofPowerLaw('search', 'warpfs', 'bam'), design: ofPowerLaw('search', 'agile', 'bam') },
  ],
  figures: ['search', 'components'].map((algorithm) => ({
    title: algorithm === 'search' ? 'Breadth-first search' : 'Connected components', metric: 'rate', where: { algorithm },
    x: { parameter: 'graph', title: 'graph', names: true as const }, y: { title: 'million edges a second', log: true as const },
  })),
  points(values, seed) {
    const warps = values.one('warps');
    return kinds.flatMap((kind): Point[] => {
      const graph = makeGraph(kind, values.one('scale'), values.one('degree'), seed);
      const fileBytes = Math.ceil((graph.neighbours.length * 4) / PAGE) * PAGE;
      const job = { fileBytes, cacheBytes: fileBytes / 4, lineBytes: values.one('line-bytes'), items: warps, accessBytes: PAGE, io: 'auto' as const, advice: 'normal' as const };
      const makeFile = (path: string): Promise<void> => writeGraph(graph, path, fileBytes);
      const source = hub(graph);
      const steps = distances(graph, source);
      const labels = components(graph);
      return [
        { parameters: { graph: kind, algorithm: 'search' }, makeFile, job: { ...job, workload: visit }, task: () => ({ measure: (system) => search(system, graph, source, warps, steps) }) },
        { parameters: { graph: kind, algorithm: 'components' }, makeFile, job: { ...job, workload: lowest }, task: () => ({ measure: (system) => connect(system, graph, warps, labels) }) },
      ];
    });
  },
};

/** Level by level. The host makes the next list of vertices from what was found, for every system; the clock stands still meanwhile. */
async function search(system: PreparedSystem, graph: Graph, source: number, warps: number, expected: Uint32Array): Promise<Measured> {
  const steps = new Uint32Array(graph.vertices).fill(UNREACHED);
  steps[source] = 0;
  let [milliseconds, edges, rounds] = [0, 0, 0];
  for (let frontier = [source]; frontier.length > 0; rounds++) {
    const { accesses } = neighbourAccesses(graph, frontier, warps, PAGE);
    const busy = accesses.filter((own) => own.length > 0);
    if (busy.length === 0) break; // vertices without neighbours
    const result = await system.run(roundOf(busy, { outputs: { found: graph.vertices } }));
    milliseconds += result.milliseconds;
    edges += busy.flat().reduce((sum, { bytes }) => sum + bytes / 4, 0);
    const found = result.outputs['found'] as Uint32Array;
    frontier = [];
    found.forEach((count, vertex) => {
      if (count === 0 || steps[vertex] !== UNREACHED) return;
      steps[vertex] = rounds + 1;
      frontier.push(vertex);
    });
  }
  const wrong = expected.findIndex((distance, vertex) => distance !== steps[vertex]);
  return { values: { rate: edges / milliseconds / 1000, rounds }, failure: wrong < 0 ? undefined : `vertex ${wrong} is ${steps[wrong]} steps away, and the CPU finds ${expected[wrong]}` };
}

/** Every vertex takes the lowest label among its neighbours and its own, until none changes. */
async function connect(system: PreparedSystem, graph: Graph, warps: number, expected: Uint32Array): Promise<Measured> {
  const { accesses, owners } = neighbourAccesses(graph, Array.from({ length: graph.vertices }, (_, vertex) => vertex), warps, PAGE);
  const width = Math.max(...accesses.map((own) => own.length));
  let labels = Uint32Array.from({ length: graph.vertices }, (_, vertex) => vertex);
  let [milliseconds, rounds] = [0, 0];
  for (let changed = true; changed; rounds++) {
    const result = await system.run(roundOf(accesses, { inputs: { labels, width }, outputs: { least: warps * width } }));
    milliseconds += result.milliseconds;
    const least = result.outputs['least'] as Uint32Array;
    const next = labels.slice();
    owners.forEach((own, warp) => {
      own.forEach((vertex, turn) => {
        const label = ~(least[warp * width + turn] as number) >>> 0;
        if (label < (next[vertex] as number)) next[vertex] = label;
      });
    });
    changed = next.some((label, vertex) => label !== labels[vertex]);
    labels = next;
  }
  const wrong = expected.findIndex((label, vertex) => label !== labels[vertex]);
  return {
    values: { rate: (graph.neighbours.length * rounds) / milliseconds / 1000, rounds },
    failure: wrong < 0 ? undefined : `vertex ${wrong} belongs to ${labels[wrong]}, and the CPU finds ${expected[wrong]}`,
  };
}
