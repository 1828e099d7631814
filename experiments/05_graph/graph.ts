// Graphs that are functions of their seed, as lists of neighbours that lie one after another in a file; and what the CPU finds in them.
import { open } from 'node:fs/promises';
import { Random } from '../../gpufs/random.ts';
import type { Access } from '../lists.ts';

export type GraphKind = 'power_law' | 'uniform';

export interface Graph {
  vertices: number;
  /** Where the neighbours of each vertex begin, and where the last ones end. */
  starts: Uint32Array;
  neighbours: Uint32Array;
}

/** How much more often the first vertices are drawn. */
const SKEW = 3;

/** `scale`: 2^scale vertices, with `degree` neighbours each in the mean. Every edge goes both ways. */
export function makeGraph(kind: GraphKind, scale: number, degree: number, seed: number): Graph {
  const vertices = 2 ** scale;
  const edges = (vertices * degree) / 2;
  const random = new Random(seed);
  const draw = (): number => {
    if (kind === 'uniform') return random.below(vertices);
    // Those with many neighbours do not have neighbouring numbers.
    return (Math.imul(Math.floor(vertices * (random.next() / 2 ** 32) ** SKEW), 2654435761) >>> 0) % vertices;
  };
  const ends = Uint32Array.from({ length: edges * 2 }, draw);
  const starts = new Uint32Array(vertices + 1);
  for (const vertex of ends) starts[vertex + 1] = (starts[vertex + 1] as number) + 1;
  for (let vertex = 0; vertex < vertices; vertex++) starts[vertex + 1] = (starts[vertex + 1] as number) + (starts[vertex] as number);
  const next = starts.slice();
  const neighbours = new Uint32Array(edges * 2);
  const put = (from: number, to: number): void => {
    neighbours[next[from] as number] = to;
    next[from] = (next[from] as number) + 1;
  };
  for (let edge = 0; edge < edges; edge++) {
    const [one, other] = [ends[edge * 2] as number, ends[edge * 2 + 1] as number];
    put(one, other);
    put(other, one);
  }
  return { vertices, starts, neighbours };
}

/** The file has whole pages. */
export async function writeGraph({ neighbours }: Graph, path: string, fileBytes: number): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(new Uint8Array(neighbours.buffer));
    await file.truncate(fileBytes);
  } finally {
    await file.close();
  }
}

/** Lists of neighbours, cut where a page ends, and dealt out to so many warps: a vertex with many neighbours is work for several. */
export function neighbourAccesses({ starts }: Graph, vertices: Iterable<number>, warps: number, pageBytes: number): { accesses: Access[][]; owners: number[][] } {
  const accesses: Access[][] = Array.from({ length: warps }, () => []);
  const owners: number[][] = Array.from({ length: warps }, () => []);
  let warp = 0;
  for (const vertex of vertices) {
    const end = (starts[vertex + 1] as number) * 4;
    for (let offset = (starts[vertex] as number) * 4; offset < end; ) {
      const bytes = Math.min(end - offset, pageBytes - (offset % pageBytes));
      accesses[warp]?.push({ offset, bytes });
      owners[warp]?.push(vertex);
      offset += bytes;
      warp = (warp + 1) % warps;
    }
  }
  return { accesses, owners };
}

/** The vertex with most neighbours. */
export function hub({ starts, vertices }: Graph): number {
  let best = 0;
  for (let vertex = 1; vertex < vertices; vertex++) {
    if ((starts[vertex + 1] as number) - (starts[vertex] as number) > (starts[best + 1] as number) - (starts[best] as number)) best = vertex;
  }
  return best;
}

export const UNREACHED = 2 ** 32 - 1;

/** Steps from the source to each vertex. */
export function distances({ vertices, starts, neighbours }: Graph, source: number): Uint32Array {
  const steps = new Uint32Array(vertices).fill(UNREACHED);
  steps[source] = 0;
  const queue = [source];
  for (let at = 0; at < queue.length; at++) {
    const vertex = queue[at] as number;
    for (let edge = starts[vertex] as number; edge < (starts[vertex + 1] as number); edge++) {
      const to = neighbours[edge] as number;
      if (steps[to] !== UNREACHED) continue;
      steps[to] = (steps[vertex] as number) + 1;
      queue.push(to);
    }
  }
  return steps;
}

/** The lowest vertex that each vertex is connected with. */
export function components({ vertices, starts, neighbours }: Graph): Uint32Array {
  const parents = Uint32Array.from({ length: vertices }, (_, vertex) => vertex);
  const rootOf = (vertex: number): number => {
    let root = vertex;
    while (parents[root] !== root) root = parents[root] = parents[parents[root] as number] as number;
    return root;
  };
  for (let vertex = 0; vertex < vertices; vertex++) {
    for (let edge = starts[vertex] as number; edge < (starts[vertex + 1] as number); edge++) {
      const [one, other] = [rootOf(vertex), rootOf(neighbours[edge] as number)];
      parents[Math.max(one, other)] = Math.min(one, other);
    }
  }
  return parents.map((_, vertex) => rootOf(vertex));
}
