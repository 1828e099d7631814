// The public surface of WarpFS.
export { type CheckOptions } from './check_options.ts';
export { type DispatchReport } from './dispatch_report.ts';
export { errnoName, type ItemFailure, type KernelDiagnostic, WarpfsError, type WarpfsErrorCode } from './errors.ts';
export { type FaultName, type FaultOptions } from './fault_options.ts';
export { type DispatchOptions, type DispatchResult, type Kernel } from './kernel.ts';
export { type InputType, type InputTypes, type KernelDefinition, type OutputType, type OutputTypes } from './kernel_definition.ts';
export { type FileMemoryOptions, type KernelMemory, type MemoryOptions } from './kernel_memory.ts';
export { media, type MediumName } from './media/media.ts';
export { type Figure, type MediumDirection, type MediumLatency, type MediumProfile } from './media/profile.ts';
export { type DeviceInfo, mount, type Mount, type MountDescription, type RunOptions, type UnmountOptions } from './mount.ts';
export { type NativeFinding as CheckFinding, type NativeFindingActor as CheckFindingActor } from './native_check.ts';
export { type MountOptions } from './options.ts';
export { type Operation, type Program, type ResultOf, type ResultsOf, type StepResult } from './program.ts';
