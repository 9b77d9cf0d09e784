import fs from 'node:fs/promises';
import path from 'node:path';

/** Replaces a file as a whole: a crash leaves the old content or the new one, never half of it. */
export async function writeAtomically(file: string, content: string): Promise<void> {
  const half = path.join(path.dirname(file), `.${process.pid}-${path.basename(file)}`);
  try {
    const handle = await fs.open(half, 'w', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(half, file);
  } finally {
    await fs.rm(half, { force: true });
  }
}
