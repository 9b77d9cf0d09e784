import { HoldfastError } from '../../../../core/errors';
import { parseStack } from '../../../../core/settings/parse';

/** In no message of any error: `errorsOf` looks. */
export const secret = 'hunter2 hunter2 hunter2';

/** The lines of the one error that `raw` is refused with, each an error of its own. */
export function errorsOf(raw: Record<string, unknown>): string[] {
  try {
    parseStack(raw);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    expect(error).toMatchObject({
      code: 'configuration',
      hint: expect.stringContaining('docs/configuration.md') as string,
    });
    expect(error.describe()).not.toContain('hunter2');
    const [head, ...lines] = error.message.split('\n');
    expect(head).toBe(
      `the configuration of the stack has ${lines.length === 1 ? 'an error' : `${lines.length} errors`}:`,
    );
    return lines.map(line => line.trim());
  }
  return [];
}

export const stackWith = (cluster: unknown) => ({ environment: 'production', clusters: { shop: cluster } });

/** The errors of one cluster, without what stands before every key. */
export const errorsIn = (cluster: unknown) =>
  errorsOf(stackWith(cluster)).map(line => line.replace('holdfast:clusters.shop.', ''));
