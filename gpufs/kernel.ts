// A compiled kernel of one mount: values in, typed arrays out.
import { compileCudaKernel } from './cuda_kernels.ts';
import type { CudaBinding } from './cuda_tools.ts';
import { type DispatchReport, dispatchError, makeReport } from './dispatch_report.ts';
import { optionError, WarpfsError } from './errors.ts';
import { makeBuffers } from './kernel_buffers.ts';
import { compileKernel, type CompileSettings } from './kernel_compiler.ts';
import {
  checkDefinition,
  type InputTypes,
  type InputValues,
  type KernelDefinition,
  type OutputArrays,
  type OutputCounts,
  type OutputTypes,
  type SharedArray,
} from './kernel_definition.ts';
import { cpuKernelText, cudaKernelText, metalKernelText } from './kernel_source.ts';
import { compileMetalKernel, type LoadMetal } from './metal_kernels.ts';
import type { CompiledKernel } from './module_store.ts';
import type { NativeDispatch, NativeDispatchResult } from './native_binding.ts';
import { policyNumber } from './native_config.ts';
import type { PolicyName, WaitName } from './options.ts';

type Given<Name extends string, Types, Value> = keyof Types extends never ? { [Key in Name]?: Value } : { [Key in Name]: Value };

export type DispatchOptions<Inputs extends InputTypes, Outputs extends OutputTypes> = {
  /** Work items: one warp each. */
  items: number;
  /** The items wait for each other, so all of them must be resident at once. */
  allResident?: boolean;
  /** 'return' reports items that failed in `report` and does not reject. Default 'throw'. */
  onError?: 'throw' | 'return';
} & Given<'inputs', Inputs, InputValues<Inputs>> &
  Given<'outputs', Outputs, OutputCounts<Outputs>>;

export type DispatchResult<Outputs extends OutputTypes> = OutputArrays<Outputs> & { report: DispatchReport };

export interface Kernel<Inputs extends InputTypes = InputTypes, Outputs extends OutputTypes = OutputTypes> {
  readonly name: string;
  /** It was compiled by an earlier call or process. */
  readonly cached: boolean;
  /** Inputs are read in place while it runs: leave them alone until the promise is settled. */
  dispatch(options: DispatchOptions<Inputs, Outputs>): Promise<DispatchResult<Outputs>>;
}

/** What a kernel needs of its mount. */
export interface KernelHost {
  policy: PolicyName;
  wait: WaitName;
  residentWarps: number;
  /** Every access of a kernel is to be observed: the mount is one with this option. */
  check?: { cuda: boolean } | undefined;
  /** On the cuda device. */
  cuda?: CudaTarget | undefined;
  /** On the metal device. */
  metal?: LoadMetal | undefined;
  dispatch(dispatch: NativeDispatch): Promise<NativeDispatchResult>;
}

/** Which GPU kernels are compiled for, and through what. */
export interface CudaTarget {
  /** As 'sm_90'. */
  arch: string;
  binding: CudaBinding;
}

export const ITEMS_MAX = 2 ** 31 - 1;

export async function makeKernel<Inputs extends InputTypes, Outputs extends OutputTypes>(
  host: KernelHost,
  definition: KernelDefinition<Inputs, Outputs>,
  settings: CompileSettings = {},
): Promise<Kernel<Inputs, Outputs>> {
  const { name } = definition;
  const { shared, groupMemoryBytes } = checkDefinition(definition);
  if (host.wait === 'replay' && definition.replay === false) {
    throw new WarpfsError('ERR_WARPFS_OPTION', `kernel ${name}: it says replay: false, and this mount has wait: "replay"`);
  }
  const { module, cached } = await compileFor(host, definition, shared, settings);
  return {
    name,
    cached,
    async dispatch(options) {
      checkItems(`kernel ${name}.items`, options.items, options.allResident === true, host);
      checkOnError(`kernel ${name}.onError`, options.onError);
      const { buffers, memories, outputs } = makeBuffers(definition, options.inputs ?? {}, options.outputs ?? {});
      const native = await host.dispatch({
        module,
        items: options.items,
        groupWarps: definition.groupWarps ?? 1,
        groupMemoryBytes,
        allResident: options.allResident ?? false,
        buffers,
        ...(memories.length === 0 ? {} : { memories }),
        inputs: Object.keys(definition.inputs ?? {}).length,
        outputsAreZero: true,
      });
      const report = makeReport(options.items, native);
      if (native.failedItems > 0 && options.onError !== 'return') throw dispatchError(`kernel ${name}`, report, native, host.wait === 'replay');
      return { ...outputs, report } as DispatchResult<Outputs>;
    },
  };
}

function compileFor(host: KernelHost, definition: KernelDefinition, shared: readonly SharedArray[], settings: CompileSettings): Promise<CompiledKernel> {
  const { name, source } = definition;
  const variant = { policy: policyNumber(host.policy), replay: host.wait === 'replay' };
  if (host.metal !== undefined) {
    return compileMetalKernel({ name, source, text: metalKernelText(definition, shared, settings.shadersRoot) }, variant, host.metal, settings);
  }
  if (host.cuda === undefined) {
    return compileKernel({ name, source, text: cpuKernelText(definition, shared, host.check?.cuda), ...variant, instrumented: host.check !== undefined }, settings);
  }
  const { arch, binding } = host.cuda;
  const { environment } = settings;
  const text = cudaKernelText(definition, shared, settings.shadersRoot);
  return compileCudaKernel({ name, source, text, arch, ...variant }, { binding, ...(environment === undefined ? {} : { environment }) });
}

/** Items that wait for each other must fit on the device together, or the ones that wait keep the others from starting. */
export function checkResident(what: string, warps: number, host: Pick<KernelHost, 'residentWarps'>): void {
  if (warps <= host.residentWarps) return;
  throw new WarpfsError(
    'ERR_WARPFS_RESIDENT',
    `${what}: ${warps} warps wait for each other, and ${host.residentWarps} can be resident at once (option residentWarps)`,
  );
}

function checkItems(where: string, items: unknown, allResident: boolean, host: KernelHost): void {
  if (!Number.isInteger(items) || (items as number) < 1 || (items as number) > ITEMS_MAX) {
    throw optionError(where, items, `is not a whole number from 1 to ${ITEMS_MAX}`);
  }
  if (allResident) checkResident(where, items as number, host);
}

function checkOnError(where: string, onError: unknown): void {
  if (onError !== undefined && onError !== 'throw' && onError !== 'return') throw optionError(where, onError, 'is not one of throw, return');
}
