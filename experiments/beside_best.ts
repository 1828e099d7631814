// This cache beside the best of everything else: the prediction for a GPU that experiments share.
import type { Finder, Prediction } from './experiment.ts';
import { isOwn } from './system.ts';

function best(find: Finder, ours: boolean, metric: string, parameters: Record<string, number | string>): number | undefined {
  const values = find.systems.filter((name) => isOwn(name) === ours).map((name) => find(metric, name, parameters) ?? Number.NaN).filter(Number.isFinite);
  return values.length === 0 ? undefined : Math.max(...values);
}

/** The higher of a metric the better. `what`: of the parameters, in words. */
export function besideBest(metric: string, what: string, parameters: Record<string, number | string>, because: string): Prediction {
  return {
    what: `the best of this cache beside the best of the others, ${what}`, unit: 'x', atLeast: 1, because, device: 'cuda',
    measured(find) {
      const [own, other] = [best(find, true, metric, parameters), best(find, false, metric, parameters)];
      return own === undefined || other === undefined ? undefined : own / other;
    },
  };
}
