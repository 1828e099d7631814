// `warpfs report`: what experiments have measured, as one page.
import type { Command } from '@commander-js/extra-typings';
import type { ExperimentCatalogue } from '../../experiments/catalogue.ts';
import { writeReport } from '../../experiments/report/write_report.ts';
import { printJson, type Streams } from './output.ts';

export function addReport(program: Command, catalogue: ExperimentCatalogue, streams: Streams, finish: (code: number) => void): void {
  program
    .command('report')
    .description('write what experiments have measured as one HTML page that needs no network, and each figure as SVG and PNG')
    .argument('[results...]', 'result files, or folders of them', ['results'])
    .option('--out <folder>', 'folder of the page', 'report')
    .option('--json', 'write one JSON object on one line')
    .action(async (sources, { out, json }) => {
      const report = await writeReport(sources, out, catalogue);
      if (json === true) printJson(streams, { command: 'report', ...report });
      else streams.out(`${report.page}: ${report.rows} rows, ${report.figures.length / 2} figures\n`);
      finish(0);
    });
}
