// The device alone: kernels that touch no file, on one worker, so that a number is what one core does.
import type { Kernel } from '../kernel.ts';
import type { InputTypes, KernelDefinition, OutputTypes } from '../kernel_definition.ts';
import { mount } from '../mount.ts';
import { type Benchmark, mustBe } from './benchmark.ts';
import { median } from './statistics.ts';

const LANES = 32;
const LAUNCHES = 3;

interface DeviceKernel<Inputs extends InputTypes, Outputs extends OutputTypes> {
  name: string;
  question: string;
  atLeast: number;
  definition: KernelDefinition<Inputs, Outputs>;
  /** Dispatches once, checks every output, and gives the time on the device. */
  launch: (kernel: Kernel<Inputs, Outputs>, items: number) => Promise<number>;
}

/** 1,048,576 threads; the unit is a million of them per second. */
function deviceBenchmark<const Inputs extends InputTypes = Record<never, never>, const Outputs extends OutputTypes = Record<never, never>>(
  { name, question, atLeast, definition, launch }: DeviceKernel<Inputs, Outputs>,
): Benchmark {
  return {
    name,
    unit: 'M threads/s/core',
    question,
    atLeast,
    cpuOnly: 'it measures one core of a processor',
    async prepare({ folder, device, tiny }) {
      const items = tiny ? 64 : 32768;
      const fs = await mount({ root: folder, device, workers: 1, cache: { lines: 64 } });
      const kernel = await fs.kernel<Inputs, Outputs>(definition);
      await launch(kernel, items);
      return {
        async run() {
          const rates: number[] = [];
          for (let number = 0; number < LAUNCHES; number++) rates.push((items * LANES * 1000) / (await launch(kernel, items)));
          return median(rates);
        },
        close: () => fs.unmount(),
      };
    },
  };
}

function allAre(values: Uint32Array, expected: (index: number) => number, what: string): void {
  for (let index = 0; index < values.length; index++) {
    mustBe(values[index] === expected(index) >>> 0, `${what}: element ${index} is ${values[index]}, not ${expected(index) >>> 0}`);
  }
}

const vectorAdd = deviceBenchmark({
  name: 'device_vector_add',
  atLeast: 100,
  question: 'How many threads per second add one element of two vectors?',
  definition: {
    name: 'vector_add',
    inputs: { left: 'u32[]', right: 'u32[]' },
    outputs: { sums: 'u32[]' },
    source: `
      const uint element = item * 32u + lane.index;
      sums[element] = left[element] + right[element];
    `,
  },
  launch: async (kernel, items) => {
    const left = Uint32Array.from({ length: items * LANES }, (_, index) => index);
    const right = Uint32Array.from({ length: items * LANES }, (_, index) => index * 7);
    const { sums, report } = await kernel.dispatch({ items, inputs: { left, right }, outputs: { sums: items * LANES } });
    allAre(sums, (index) => index * 8, 'vector_add');
    return report.nanoseconds;
  },
});

const groupReduce = deviceBenchmark({
  name: 'device_group_reduce',
  atLeast: 25,
  question: 'How many threads per second reduce through shared memory, with six barriers of the group?',
  definition: {
    name: 'group_reduce',
    outputs: { sums: 'u32[]' },
    shared: { scratch: 'u32[32]' },
    source: `
      scratch[lane.index] = item + lane.index;
      group_barrier(lane);
      for (uint stride = 16u; stride > 0u; stride /= 2u) {
        if (lane.index < stride) scratch[lane.index] += scratch[lane.index + stride];
        group_barrier(lane);
      }
      if (lane.index == 0u) sums[item] = scratch[0];
    `,
  },
  launch: async (kernel, items) => {
    const { sums, report } = await kernel.dispatch({ items, outputs: { sums: items } });
    allAre(sums, (index) => index * 32 + 496, 'group_reduce');
    return report.nanoseconds;
  },
});

const shuffleReduce = deviceBenchmark({
  name: 'device_shuffle_reduce',
  atLeast: 20,
  question: 'How many threads per second reduce through five shuffles?',
  definition: {
    name: 'shuffle_reduce',
    outputs: { sums: 'u32[]' },
    source: `
      uint value = item + lane.index;
      value += lane.shuffle(value, lane.index ^ 16u);
      value += lane.shuffle(value, lane.index ^ 8u);
      value += lane.shuffle(value, lane.index ^ 4u);
      value += lane.shuffle(value, lane.index ^ 2u);
      value += lane.shuffle(value, lane.index ^ 1u);
      if (lane.index == 0) sums[item] = value;
    `,
  },
  launch: async (kernel, items) => {
    const { sums, report } = await kernel.dispatch({ items, outputs: { sums: items } });
    allAre(sums, (index) => index * 32 + 496, 'shuffle_reduce');
    return report.nanoseconds;
  },
});

const atomicIncrement = deviceBenchmark({
  name: 'device_atomic_increment',
  atLeast: 60,
  question: 'How many threads per second increment one word?',
  definition: { name: 'atomic_increment', outputs: { counter: 'u32[]' }, source: 'atomic_add(&counter[0], 1u);' },
  launch: async (kernel, items) => {
    const { counter, report } = await kernel.dispatch({ items, outputs: { counter: 1 } });
    allAre(counter, () => items * LANES, 'atomic_increment');
    return report.nanoseconds;
  },
});

/** Kernels that wait for each other by spinning: devices that run lanes or groups to their end one after another never finish them. */
function spinBenchmark(name: string, question: string, items: number, source: string): Benchmark {
  return {
    name,
    unit: 'ms',
    question,
    atMost: 1000,
    async prepare({ folder, device }) {
      const fs = await mount({ root: folder, device, workers: 1, cache: { lines: 64 } });
      const kernel = await fs.kernel({ name, outputs: { flag: 'u32[]', seen: 'u32[]' }, source });
      return {
        async run() {
          const { seen, report } = await kernel.dispatch({ items, outputs: { flag: 1, seen: 1 } });
          mustBe(seen[0] === 7, `${name}: saw ${seen[0]}, not 7`);
          return report.nanoseconds / 1e6;
        },
        close: () => fs.unmount(),
      };
    },
  };
}

const spinOnSibling = spinBenchmark(
  'spin_on_sibling_lane',
  'A lane spins on a word that a later lane of its warp writes: how long until it ends?',
  1,
  `
    if (lane.index == 0) { while (atomic_load(&flag[0]) == 0) {} seen[0] = atomic_load(&flag[0]); }
    if (lane.index == 31) atomic_store(&flag[0], 7u);
  `,
);

const spinOnLaterGroup = spinBenchmark(
  'spin_on_later_group',
  'The first of 512 groups spins on a word that the last one writes, on one core: how long until it ends?',
  512,
  `
    if (item == 0 && lane.index == 0) { while (atomic_load(&flag[0]) == 0) {} seen[0] = atomic_load(&flag[0]); }
    if (item == 511 && lane.index == 0) atomic_store(&flag[0], 7u);
  `,
);

export const deviceBenchmarks: Benchmark[] = [spinOnSibling, spinOnLaterGroup, vectorAdd, groupReduce, shuffleReduce, atomicIncrement];
