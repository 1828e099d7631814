import { expect, test } from 'vitest';
import { components, distances, type Graph, hub, makeGraph, neighbourAccesses, UNREACHED } from './graph.ts';

/** 0 - 1 - 2, 3 - 4, 5 alone. */
const small: Graph = { vertices: 6, starts: Uint32Array.of(0, 1, 3, 4, 5, 6, 6), neighbours: Uint32Array.of(1, 0, 2, 1, 4, 3) };

test('what the CPU finds in a graph', () => {
  expect([...distances(small, 0)]).toEqual([0, 1, 2, UNREACHED, UNREACHED, UNREACHED]);
  expect([...components(small)]).toEqual([0, 0, 0, 3, 3, 5]);
  expect(hub(small)).toBe(1);
});

test.each(['power_law', 'uniform'] as const)('a %s graph is a function of its seed, and every edge goes both ways', (kind) => {
  const graph = makeGraph(kind, 8, 16, 5);
  expect(makeGraph(kind, 8, 16, 5)).toEqual(graph);
  expect(graph.neighbours.length).toBe(256 * 16);
  const edges = new Map<string, number>();
  for (let vertex = 0; vertex < graph.vertices; vertex++) {
    for (const to of graph.neighbours.subarray(graph.starts[vertex], graph.starts[vertex + 1])) edges.set(`${vertex} ${to}`, (edges.get(`${vertex} ${to}`) ?? 0) + 1);
  }
  for (const [edge, count] of edges) expect(edges.get(edge.split(' ').toReversed().join(' '))).toBe(count);
});

test('a power law has vertices with far more neighbours than a uniform graph has', () => {
  const most = (graph: Graph): number => (graph.starts[hub(graph) + 1] as number) - (graph.starts[hub(graph)] as number);
  expect(most(makeGraph('power_law', 10, 16, 5))).toBeGreaterThan(4 * most(makeGraph('uniform', 10, 16, 5)));
});

test('lists of neighbours are cut where a page ends, dealt out, and complete', () => {
  const graph = makeGraph('power_law', 10, 16, 5);
  const { accesses, owners } = neighbourAccesses(graph, [hub(graph), 1, 2], 4, 256);
  const pieces = accesses.flat();
  for (const { offset, bytes } of pieces) expect(Math.floor(offset / 256)).toBe(Math.floor((offset + bytes - 1) / 256));
  const wanted = [hub(graph), 1, 2].reduce((sum, vertex) => sum + ((graph.starts[vertex + 1] as number) - (graph.starts[vertex] as number)) * 4, 0);
  expect(pieces.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(wanted);
  expect(owners.map((own) => own.length)).toEqual(accesses.map((own) => own.length));
  expect(Math.max(...accesses.map((own) => own.length)) - Math.min(...accesses.map((own) => own.length))).toBeLessThanOrEqual(1);
});
