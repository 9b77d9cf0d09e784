import { HoldfastError } from '../../core/errors';
import { reasonOf, type Pulumi, type PulumiResult } from './pulumi';

/** What an update of a stack would do. */
export interface Preview {
  readonly stack: string;
  /** Steps by kind (`create`, `update`, …), without those that change nothing. */
  readonly changes: Readonly<Record<string, number>>;
}

interface PreviewDocument {
  readonly changeSummary?: Readonly<Record<string, number>>;
  readonly diagnostics?: readonly { readonly message?: string; readonly severity?: string }[];
}

const idle = new Set(['same', 'read', 'refresh', 'read-replacement']);

/**
 * Asks Pulumi what an update would do; the policy pack has its say.
 * @throws HoldfastError `refused` with what the gate or the program said when the preview fails.
 */
export async function preview(pulumi: Pulumi, stack: string): Promise<Preview> {
  const result = await pulumi.run(['preview', '--json', '--stack', stack]);
  const document = parse(result.stdout);
  if (result.code !== 0 || document === undefined)
    throw refused(stack, (await whatPulumiSays(pulumi, stack)) ?? errorsIn(result, document));
  const changes = Object.entries(document.changeSummary ?? {}).filter(
    ([step, count]) => !idle.has(step) && count > 0,
  );
  return { stack, changes: Object.fromEntries(changes) };
}

export const hasChanges = ({ changes }: Preview): boolean => Object.keys(changes).length > 0;

/** "1 to create, 2 to update" */
export const describeChanges = ({ changes }: Preview): string =>
  Object.entries(changes)
    .map(([step, count]) => `${count} to ${step}`)
    .join(', ');

function parse(text: string): PreviewDocument | undefined {
  try {
    return JSON.parse(text) as PreviewDocument;
  } catch {
    return undefined;
  }
}

/** What policies and the program said, as Pulumi prints it for people: its JSON leaves out the policies. */
async function whatPulumiSays(pulumi: Pulumi, stack: string): Promise<string | undefined> {
  const { stdout } = await pulumi.run([
    'preview',
    '--stack',
    stack,
    '--suppress-progress',
    '--suppress-outputs',
  ]);
  return complaintsIn(stdout);
}

/** The violations and diagnostics in what Pulumi printed for people; undefined when there are none. */
export function complaintsIn(printed: string): string | undefined {
  return /^(?:Policies|Diagnostics):$[^]*/m.exec(printed)?.[0].trim();
}

function errorsIn(result: PulumiResult, document: PreviewDocument | undefined): string {
  const errors = (document?.diagnostics ?? [])
    .filter(({ severity }) => severity === 'error')
    .map(({ message }) => plain(message ?? ''));
  return errors.length > 0 ? errors.join('\n') : reasonOf(result);
}

function refused(stack: string, reason: string): HoldfastError {
  return new HoldfastError('refused', `the preview of ${stack} failed:\n${reason}`, {
    hint: `see all of it with: eval "$(npx holdfast env)" && npx pulumi preview --stack ${stack}`,
  });
}

/** Pulumi marks colours with `<{%…%}>`. */
const plain = (text: string): string => text.replace(/<\{%.*?%\}>/g, '').trim();
