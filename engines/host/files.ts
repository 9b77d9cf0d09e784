import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';

/** The text of a file; null when there is none. Every other trouble is thrown: "unreadable" isn't "absent". */
export async function readIfThere(file: string): Promise<string | null> {
  try {
    return await fs.readFile(file, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

/** Whether an error says that a file or a directory on the way to it doesn't exist. */
export function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

export async function exists(file: string): Promise<boolean> {
  try {
    await fs.lstat(file);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

/**
 * Writes a file as a whole or not at all, and on the disk before it returns: temporary file beside it, fsync, rename, fsync of
 * the directory.
 * @param mode of the file. @default 0600
 */
export async function writeAtomically(file: string, content: string | Buffer, mode = 0o600): Promise<void> {
  const directory = path.dirname(file);
  const half = path.join(
    directory,
    `.${path.basename(file)}.${process.pid}-${randomBytes(4).toString('hex')}`,
  );
  try {
    const handle = await fs.open(half, 'wx', mode);
    try {
      await handle.writeFile(content);
      // The mode of open() is cut by the umask.
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(half, file);
    await syncDirectory(directory);
  } catch (error) {
    await fs.rm(half, { force: true });
    throw error;
  }
}

/** Makes renames in a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await fs.open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
