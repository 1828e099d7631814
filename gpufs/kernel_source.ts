// The text of a kernel: the user's body between a generated head and tail.
import type { InputType, KernelDefinition, OutputType, SharedArray } from './kernel_definition.ts';
import { shadersRoot as packageShaders } from './package_root.ts';
import { flatHeaders } from './shader_text.ts';

/** What a line of the generated parts is called in a compile error: such an error is a bug of ours. */
export const GENERATED_FILE = 'warpfs-generated';

const elementTypes: Record<string, string> = { u8: 'uchar', u32: 'uint', i32: 'int', f32: 'float', u64: 'ulong' };

/** `asCuda`: for check mode with what the cuda device has beside the others. */
export function cpuKernelText(definition: KernelDefinition, shared: readonly SharedArray[], asCuda = false): string {
  return `${asCuda ? headers('cpu', 'cpu_as_cuda') : headers('cpu')}${prelude(definition)}${kernelText(definition, shared, (element, index) => `*(const ${element}*)own[${index}]`)}`;
}

/** With all headers in it: NVRTC is given one text and no folders. */
export function cudaKernelText(definition: KernelDefinition, shared: readonly SharedArray[], shadersRoot: string = packageShaders): string {
  return `${flatHeaders(`${headers('cuda')}${prelude(definition)}`, shadersRoot)}${kernelText(definition, shared, (element, index) => `*(const ${element}*)&scalars[${index}]`)}`;
}

/** With all headers in it, for newLibraryWithSource. */
export function metalKernelText(definition: KernelDefinition, shared: readonly SharedArray[], shadersRoot: string = packageShaders): string {
  return `${flatHeaders(`${headers('metal')}${prelude(definition)}`, shadersRoot)}${kernelText(definition, shared, (element, index) => `*(WARPFS_DEVICE const ${element}*)own[${index}]`)}`;
}

function headers(device: 'cpu' | 'cuda' | 'metal', more?: string): string {
  const dialects = [device, ...(more === undefined ? [] : [more])].map((name) => `#include "dialect/${name}.h"\n`);
  return `${dialects.join('')}#include "warpfs.h"\n#include "entry/${device}.h"\n`;
}

function prelude({ name, prelude: text }: KernelDefinition): string {
  return text === undefined ? '' : `#line 1 "${name}"\n${text}\n#line 1 "${GENERATED_FILE}"\n`;
}

/** How a device gets at a scalar, which comes in a buffer of its own. */
type Scalar = (element: string, index: number) => string;

function kernelText(definition: KernelDefinition, shared: readonly SharedArray[], scalar: Scalar): string {
  const inputs = Object.entries(definition.inputs ?? {}).map(([name, type], index) => inputParameter(name, type, index, scalar));
  const outputs = Object.entries(definition.outputs ?? {}).map(([name, type], index) => outputParameter(name, type, inputs.length + index));
  const parameters = [...inputs, ...outputs];
  const declarations = ['WARPFS_THREAD Fs& fs', ...parameters.map((parameter) => parameter.declaration)].join(', ');
  const call = ['fs', ...parameters.map((parameter) => parameter.argument)].join(', ');
  return [
    'namespace warpfs {',
    `WARPFS_FN int item_body(${declarations}) {`,
    '  [[maybe_unused]] WARPFS_THREAD Lane& lane = fs.lane;',
    '  [[maybe_unused]] const uint item = fs.item;',
    ...shared.map(sharedDeclaration),
    `#line 1 "${definition.name}"`,
    definition.source,
    `#line 1 "${GENERATED_FILE}"`,
    '  return WARPFS_DONE;',
    '}',
    '}  // namespace warpfs',
    `WARPFS_KERNEL_ENTRY(item_body(${call}))`,
    '',
  ].join('\n');
}

interface Parameter {
  declaration: string;
  argument: string;
}

function inputParameter(name: string, type: InputType, index: number, scalar: Scalar): Parameter {
  if (type === 'string' || type === 'bytes') return arrayParameter(name, 'const ', 'uchar', index);
  if (type === 'memory') return arrayParameter(name, '', 'uchar', index);
  if (type.endsWith('[]')) return arrayParameter(name, 'const ', elementOf(type), index);
  const element = elementOf(type);
  return { declaration: `[[maybe_unused]] const ${element} ${name}`, argument: scalar(element, index) };
}

function outputParameter(name: string, type: OutputType, index: number): Parameter {
  return arrayParameter(name, '', elementOf(type), index);
}

function arrayParameter(name: string, constness: string, element: string, index: number): Parameter {
  return {
    declaration: `[[maybe_unused]] WARPFS_DEVICE ${constness}${element}* ${name}`,
    argument: `(WARPFS_DEVICE ${constness}${element}*)own[${index}]`,
  };
}

function sharedDeclaration({ name, type, offsetBytes }: SharedArray): string {
  const pointer = `WARPFS_GROUP ${elementOf(type)}*`;
  return `  [[maybe_unused]] ${pointer} ${name} = (${pointer})(group_memory(lane) + ${offsetBytes});`;
}

function elementOf(type: string): string {
  return elementTypes[type.replace('[]', '')] ?? type;
}
