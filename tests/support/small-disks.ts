import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { run, succeed, until, type Ran, type RunOptions } from './processes';

/**
 * Disks of memory that can be made full, in a mount namespace of their own: nobody else sees them, and they are gone with the
 * last process in it, however that ends. What uses them is run by `run`. Needs root.
 */
export class SmallDisks {
  private constructor(private readonly keeper: ChildProcess) {}

  static async open(): Promise<SmallDisks> {
    // It ends with the pipe to this process.
    const keeper = spawn('unshare', ['--mount', 'cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    keeper.stdin.write('there\n');
    await once(keeper.stdout, 'data');
    return new SmallDisks(keeper);
  }

  /** How a program is run where the disks are; in its root directory. */
  command(program: string, args: readonly string[]): [string, string[]] {
    return ['nsenter', [`--mount=/proc/${this.keeper.pid}/ns/mnt`, '--', program, ...args]];
  }

  run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return run(...this.command(program, args), options);
  }

  /** Puts a disk over a directory, which is made and whose owner and mode it has. */
  async mount(directory: string, megabytes: number, owner: { uid: number; gid: number }): Promise<void> {
    const { uid, gid } = owner;
    await succeed(...this.command('mkdir', ['-p', directory]));
    const options = `size=${megabytes}m,mode=700,uid=${uid},gid=${gid}`;
    await succeed(...this.command('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory]));
  }

  async resize(directory: string, megabytes: number): Promise<void> {
    await succeed(...this.command('mount', ['-o', `remount,size=${megabytes}m`, directory]));
  }

  /** Leaves no more than so much on a disk, also while somebody writes to it. */
  async leave(directory: string, bytes: number): Promise<void> {
    await until('its disk is small', async () => {
      const used = await succeed(...this.command('df', ['--block-size=1', '--output=used', directory]));
      const size = Number(used.trim().split('\n').at(-1)) + bytes;
      return (await this.run('mount', ['-o', `remount,size=${size}`, directory])).code === 0;
    });
  }

  close(): void {
    this.keeper.stdin?.end();
  }
}
