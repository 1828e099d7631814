// AGILE: asyncRead into buffers of the warps, several under way; where a job writes, with the share table.
import { agileAsync, agileBaseline, agileCannot, agileFlaws, agileShape } from '../agile_parts.ts';
import { prepareBaseline } from '../baseline_system.ts';
import type { Job, System } from '../system.ts';

const AHEAD = 3;
/** Of an access, wherever it begins. */
const placesOf = ({ accessBytes, lineBytes }: Job): number => Math.ceil(accessBytes / lineBytes) + 1;

export const system: System = {
  name: 'agile_async',
  models: `AGILE, asked ahead: each warp has ${AHEAD} asyncRead into buffers of its own under way beside the bytes that it works on`,
  shaped: true,
  flaws: agileFlaws,
  cannot: agileCannot,
  prepare: (job) => {
    const places = placesOf(job);
    const access = agileAsync({ ahead: AHEAD, places, shares: job.workload.writes });
    return prepareBaseline('agile_async', job, agileBaseline(agileShape(job, job.items * (AHEAD + 1) * places), access, { flaws: job.flaws ?? [] }));
  },
};
