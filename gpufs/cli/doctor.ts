// `warpfs doctor`: what this machine has, and what keeps a device or a kernel from working.
import type { Command } from '@commander-js/extra-typings';
import { availableParallelism, release } from 'node:os';
import { ABI_HASH } from '../../native/abi/abi.ts';
import { type CudaSight, cudaUnseen, describeCuda, lookForCuda } from '../cuda_sight.ts';
import { type DeviceListing, listDevices } from '../device_choice.ts';
import { hex, loadNativeBinding, type NativeMetalSight, URING_WORKS } from '../native_binding.ts';
import { kernelFolder } from '../kernel_folder.ts';
import { packageVersion } from '../package_root.ts';
import { compilerVersion, findCompiler } from '../system_compiler.ts';
import { runMetalSelfTest, SELF_TEST_FILE } from './metal_self_test.ts';
import { printJson, type Streams } from './output.ts';
import { formatTable } from './table.ts';

interface Finding {
  found: boolean;
  detail: string;
}

interface Diagnosis {
  command: 'doctor';
  healthy: boolean;
  system: { platform: string; release: string; arch: string; cores: number; node: string };
  version: string;
  addon: Finding & { abiHash: string };
  compiler: Finding;
  kernelFolder: { path: string; usual: boolean; detail: string };
  io: { name: string; available: boolean; detail: string }[];
  sandbox: string;
  cuda: CudaSight;
  metal: NativeMetalSight;
  devices: DeviceListing[];
  auto: string;
}

export function addDoctor(program: Command, streams: Streams, finish: (code: number) => void): void {
  program
    .command('doctor')
    .description('say what this machine has, which devices can be used, and why not the others')
    .option('--json', 'write one JSON object on one line')
    .option('--metal-self-test [file]', `on a Mac: ask its GPU what Metal does not document, for a minute at the most, and write the answers to a file (default: ${SELF_TEST_FILE})`)
    .action(async ({ json, metalSelfTest }) => {
      if (metalSelfTest !== undefined) {
        finish(await runMetalSelfTest(streams, { json: json === true, file: metalSelfTest === true ? SELF_TEST_FILE : metalSelfTest }));
        return;
      }
      const diagnosis = await diagnose();
      if (json === true) printJson(streams, diagnosis);
      else streams.out(describe(diagnosis));
      finish(diagnosis.healthy ? 0 : 1);
    });
}

/** Healthy: programs run. A compiler is needed for kernels of the user alone, so its absence is no illness. */
async function diagnose(): Promise<Diagnosis> {
  const { addon, cores, uring, sandbox, cuda, metal } = findAddon();
  const listed = listDevices({ cuda: () => cuda, metal: () => metal });
  const devices = addon.found ? listed : listed.map((device) => (device.available ? { ...device, available: false, reason: NEEDS_ADDON } : device));
  const folder = await kernelFolder();
  return {
    command: 'doctor',
    healthy: addon.found,
    system: { platform: process.platform, release: release(), arch: process.arch, cores, node: process.version },
    version: packageVersion,
    addon,
    compiler: await findCompilerVersion(folder.path),
    kernelFolder: { path: folder.path, usual: folder.fallback === undefined, detail: folder.fallback ?? 'can be written' },
    io: [
      { name: 'pread', available: addon.found, detail: addon.found ? 'always there' : NEEDS_ADDON },
      { name: 'uring', available: uring === URING_WORKS, detail: uring },
      { name: 'mtlio', available: metal.obstacle === '', detail: metal.obstacle === '' ? 'Metal reads files, on the metal device with wait replay' : metal.obstacle },
    ],
    sandbox,
    cuda,
    metal,
    devices,
    auto: devices.find((device) => device.available)?.name ?? 'none',
  };
}

const NEEDS_ADDON = 'needs the addon';

function findAddon(): { addon: Diagnosis['addon']; cores: number; uring: string; sandbox: string; cuda: CudaSight; metal: NativeMetalSight } {
  try {
    const { path, binding } = loadNativeBinding();
    const { cores, uring, sandbox } = binding.host();
    return { addon: { found: true, detail: path, abiHash: hex(binding.abiHash()) }, cores, uring, sandbox, cuda: lookForCuda(binding), metal: binding.metalSight() };
  } catch (error) {
    const addon = { found: false, detail: (error as Error).message, abiHash: hex(ABI_HASH) };
    return { addon, cores: availableParallelism(), uring: NEEDS_ADDON, sandbox: NEEDS_ADDON, cuda: cudaUnseen(NEEDS_ADDON), metal: { obstacle: NEEDS_ADDON, name: '', memoryBytes: 0 } };
  }
}

async function findCompilerVersion(folder: string): Promise<Finding> {
  try {
    const compiler = findCompiler();
    if (compiler === undefined) return { found: false, detail: 'none: on the cpu device fs.run works, fs.kernel does not; install g++ or clang++, or set WARPFS_CXX' };
    const version = (await compilerVersion(compiler, folder)).split('\n')[0] ?? '';
    return { found: true, detail: `${compiler.path} (${compiler.from}): ${version}` };
  } catch (error) {
    return { found: false, detail: (error as Error).message };
  }
}

function describe(diagnosis: Diagnosis): string {
  const { system, addon, compiler, io, devices } = diagnosis;
  const facts: [string, string][] = [
    ['warpfs', diagnosis.version],
    ['system', `${system.platform} ${system.release} ${system.arch}, ${system.cores} cores`],
    ['node', system.node],
    ['addon', addon.found ? `${addon.detail} (ABI ${addon.abiHash})` : 'missing, see below'],
    ['compiler', compiler.detail],
    ['kernel folder', `${diagnosis.kernelFolder.path}: ${diagnosis.kernelFolder.detail}`],
    ...io.map((engine): [string, string] => [`io ${engine.name}`, engine.detail]),
    ['sandbox', diagnosis.sandbox],
    ...describeCuda(diagnosis.cuda),
    ['metal', diagnosis.metal.name === '' ? diagnosis.metal.obstacle : diagnosis.metal.name],
  ];
  const table = formatTable(
    ['device', 'usable', 'why'],
    devices.map((device) => [device.name, device.available ? 'yes' : 'no', device.reason]),
  );
  const lines = facts.map(([name, value]) => `${name.padEnd(14)} ${value}`);
  const end = addon.found ? `device 'auto' takes ${diagnosis.auto}` : addon.detail;
  return `${lines.join('\n')}\n\n${table}\n\n${end}\n`;
}
