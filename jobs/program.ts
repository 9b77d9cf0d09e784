import path from 'node:path';
import { createRequire } from 'node:module';

/** Set by scripts/bundle.cjs; absent where the sources run unbundled (tests, a Pulumi program, a policy pack). */
declare const HOLDFAST_PROGRAM_HASH: string;

/** The one program (docs/architecture.md): its file, and the hash of the sources that it was made of. */
export function ownProgram(): { readonly file: string; readonly hash: string } {
  if (typeof HOLDFAST_PROGRAM_HASH !== 'undefined') return { file: __filename, hash: HOLDFAST_PROGRAM_HASH };
  // By a computed path, so that the bundler isn't bundled.
  const script = path.resolve(__dirname, '../scripts/bundle.cjs');
  const bundler = createRequire(__filename)(script) as { bundle: () => { file: string; hash: string } };
  return bundler.bundle();
}
