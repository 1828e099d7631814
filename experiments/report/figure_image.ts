// A figure as SVG and PNG, with a font of the package: where a machine has none, all text would be missing and nobody would say so.
import { createRequire } from 'node:module';
import type { TopLevelSpec } from 'vega-lite';
import { FONT } from './figure_spec.ts';

/** Dots for each unit of the figure: 300 and more for an inch of a column. */
const PNG_SCALE = 3;

export async function figureSvg(spec: TopLevelSpec): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

export async function figurePng(svg: string): Promise<Uint8Array> {
  const { Resvg } = await import('@resvg/resvg-js');
  const require = createRequire(import.meta.url);
  const fontFiles = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) => require.resolve(`dejavu-fonts-ttf/ttf/${name}`));
  const image = new Resvg(svg, { fitTo: { mode: 'zoom', value: PNG_SCALE }, font: { loadSystemFonts: false, fontFiles, defaultFontFamily: FONT, sansSerifFamily: FONT } });
  return image.render().asPng();
}
