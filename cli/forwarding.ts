/**
 * What jobs/ssh.ts put before the command line: whether a person's answers come on standard input, and who is behind it
 * (for the audit; whoever may log in here may do all of this anyway, so it is a note, not a proof).
 */
export function takeForwarding(argv: readonly string[]): {
  readonly args: readonly string[];
  readonly forwarded: { readonly person: boolean } | undefined;
} {
  const match = /^--forwarded=(person|program),(.*)$/.exec(argv[0] ?? '');
  if (match === null) return { args: argv, forwarded: undefined };
  process.env.HOLDFAST_REQUESTER = match[2];
  return { args: argv.slice(1), forwarded: { person: match[1] === 'person' } };
}
