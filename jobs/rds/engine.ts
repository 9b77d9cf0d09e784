import { HoldfastError } from '../../core/errors';

/** Set by scripts/bundle.cjs. */
declare const HOLDFAST_PROGRAM_KIND: string;

/**
 * The engine of Amazon RDS. AWS’s SDK is large, so the program for machines doesn’t contain it.
 * @throws HoldfastError `configuration` in that program.
 */
export async function awsEngine() {
  // The bundler leaves out what can't be reached.
  if (typeof HOLDFAST_PROGRAM_KIND !== 'undefined' && HOLDFAST_PROGRAM_KIND === 'machine') {
    throw new HoldfastError('configuration', 'this program looks after clusters on machines only', {
      hint: 'Run `npx holdfast` in the checkout instead: it has what AWS needs.',
    });
  } else {
    return import('../../engines/rds/main');
  }
}
