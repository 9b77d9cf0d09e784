import type { Memory } from '../engine';
import { appendAudit } from './audit';
import type { RdsContext } from './context';
import { deleteText, readText, writeText } from './texts';

/** What jobs remember of a cluster on RDS: parameters, and an audit log of CloudWatch. */
export function awsMemory(context: RdsContext): Memory {
  return {
    read: key => readText(context, key),
    write: (key, text) => (text === null ? deleteText(context, key) : writeText(context, key, text)),
    appendAudit: line => appendAudit(context, line),
    // What jobs print is where they run, and kept there for as long as that says.
    rotateLogs: () => Promise.resolve(),
  };
}
