import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { HoldfastError } from '../core/errors';

/** Set by scripts/bundle.cjs; absent where the sources run unbundled (tests, a Pulumi program, a policy pack). */
declare const HOLDFAST_PROGRAM_HASH: string;
declare const HOLDFAST_PROGRAM_KIND: ProgramKind;

/**
 * What a program can do: look after clusters on a machine, on which it has to be small and needs Node.js 18; or also those on
 * AWS, with AWS’s SDK in it; or, as a function of AWS Lambda, the unattended jobs of the latter.
 */
export type ProgramKind = 'machine' | 'aws' | 'lambda';

export interface Program {
  readonly file: string;
  /** Of the sources that it was made of. */
  readonly hash: string;
}

/**
 * The program (docs/architecture.md) of the same sources as what runs now.
 * @throws HoldfastError `configuration` when this is a program that stands alone, and not of that kind.
 */
export function ownProgram(kind: ProgramKind = 'machine'): Program {
  if (typeof HOLDFAST_PROGRAM_HASH !== 'undefined') {
    if (kind === HOLDFAST_PROGRAM_KIND) return { file: __filename, hash: HOLDFAST_PROGRAM_HASH };
    if (!fs.existsSync(bundler)) throw standsAlone(kind);
  }
  const { bundle } = createRequire(__filename)(bundler) as { bundle: (kind: ProgramKind) => Program };
  return bundle(kind);
}

// By a computed path, so that the bundler isn't bundled.
const bundler = path.resolve(__dirname, '../scripts/bundle.cjs');

function standsAlone(kind: ProgramKind): HoldfastError {
  return new HoldfastError(
    'configuration',
    `this program is the one for ${HOLDFAST_PROGRAM_KIND}, and stands alone: the one for ${kind} isn’t here`,
    { hint: 'Run `npx holdfast` in the checkout instead.' },
  );
}
