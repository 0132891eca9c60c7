/** A Slurm of one node on loopback, for tests: started by them, ended with them. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort, programMissing } from './queue-servers.js';

/** Why there can be none here; undefined where there can. */
export function slurmMissing(): string | undefined {
  for (const program of ['slurmctld', 'slurmd', 'sbatch']) {
    const missing = programMissing(program, 'slurmctld slurmd slurm-client');
    if (missing !== undefined) return missing;
  }
  return process.getuid?.() === 0 ? undefined : 'slurmd has to be started by root';
}

export interface SlurmCluster {
  /** For whoever calls Slurm's commands. */
  readonly env: Readonly<Record<string, string>>;
  call(command: string, ...argv: string[]): Promise<string>;
  stop(): Promise<void>;
}

export async function startSlurm(): Promise<SlurmCluster> {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-slurm-'));
  for (const name of ['state', 'spool']) await mkdir(path.join(folder, name));
  const conf = path.join(folder, 'slurm.conf');
  await writeFile(
    conf,
    `ClusterName=strata
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=${await freePort()}
SlurmdPort=${await freePort()}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/none
CredType=cred/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdLogFile=${folder}/slurmd.log
ReturnToService=2
MailProg=/bin/true
SelectType=select/cons_res
SelectTypeParameters=CR_CPU
KillWait=10
SchedulerParameters=sched_interval=1,batch_sched_delay=1
NodeName=localhost NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
`,
  );
  const env = { SLURM_CONF: conf };
  const daemons = [
    ['slurmctld', '-D'],
    ['slurmd', '-D', '-N', 'localhost'],
  ].map(([program, ...argv]) => spawn(program!, argv, { stdio: 'ignore', env: { ...process.env, ...env } }));
  const call = async (command: string, ...argv: string[]) =>
    (await promisify(execFile)(command, argv, { env: { ...process.env, ...env } })).stdout;
  const stop = async () => {
    for (const daemon of daemons) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      const ended = once(daemon, 'exit');
      daemon.kill('SIGTERM');
      await Promise.race([ended, wait(10_000).then(() => daemon.kill('SIGKILL'))]);
    }
    await rm(folder, { recursive: true, force: true });
  };
  for (let tries = 0; ; tries++) {
    const nodes = await call('sinfo', '--noheader', '--format=%T').catch(() => '');
    if (nodes.trim() === 'idle') return { env, call, stop };
    if (tries === 240) {
      const log = await readFile(path.join(folder, 'slurmctld.log'), 'utf8').catch(String);
      await stop();
      throw new Error(`Slurm did not come up: ${nodes}\n${log}`);
    }
    await wait(250);
  }
}
