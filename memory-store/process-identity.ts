import {readFileSync} from 'node:fs';

/** A process, told from later ones that get the same number. */
export type ProcessIdentity = {
  readonly pid: number;
  /** Boot of the machine and start within it; empty where the system does not tell. */
  readonly started: string;
};

/** The process that asks. */
export function currentProcess(): ProcessIdentity {
  return {pid: process.pid, started: startOf(process.pid) ?? ''};
}

/** Whether a process still runs. Where its start cannot be read, any process of that number counts. */
export function isRunning({pid, started}: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  if (started === '') return true;
  return (startOf(pid) ?? started) === started;
}

/** Linux only; a process that has ended but was not waited for yet has the start "ended". */
function startOf(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    // The second field is the command in parentheses and may itself hold spaces and parentheses.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : `${boot}/${fields[19]}`;
  } catch {
    return undefined;
  }
}
