import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { listenProblem, REAL_TIME, SystemClock, type Clock, type ClockScale } from '@libs/kernel';
import { AdminServer } from './admin/admin.server';
import { ArrivalLog } from './arrivals/arrival.log';
import { MailShelf } from './arrivals/mail.shelf';
import { UsageMeter } from './billing/usage-meter';
import { Hearing } from './clock/hearing';
import { LoopWatch } from './clock/loop-watch';
import { SimulatedClock } from './clock/simulated.clock';
import { FaultPlan } from './faults/fault-plan.policy';
import { PrincipalsService } from './iam/principals.service';
import { StsService } from './iam/sts.service';
import { SendingLimitsService } from './limits/sending-limits.service';
import { ServiceQuotasService } from './quotas/service-quotas.service';
import { accountRoutes } from './ses/account.routes';
import { configurationSetRoutes } from './ses/configuration-set.routes';
import { dedicatedIpRoutes } from './ses/dedicated-ip.routes';
import { EventsService, type PendingItem } from './ses/events.service';
import { identityRoutes } from './ses/identity.routes';
import { SendService } from './ses/send.service';
import { SesService } from './ses/ses.service';
import { suppressionRoutes } from './ses/suppression.routes';
import { templateRoutes } from './ses/template.routes';
import { DeliveryService, type PendingDelivery } from './sns/delivery.service';
import { createSigningIdentity, SigningService } from './sns/signing.service';
import { SnsService } from './sns/sns.service';
import type { IdentityState } from './state/simulator.state';
import { StateStore } from './state/state.store';
import { AwsEdge } from './wire/aws.edge';

/** All durations are milliseconds. */
export interface SimulatorOptions {
  readonly host?: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly adminPort?: number;
  /** State, arrival log and ca.pem go here; without it nothing outlives the process. */
  readonly dataDir?: string | undefined;
  readonly seed?: number;
  /** Median of the answer time; 0, the default, answers at once. */
  readonly latencyMs?: number;
  readonly latencyP99Ms?: number;
  /** Median time from a send to its outcome, where a domain has no behaviour of its own. */
  readonly eventDelayMs?: number;
  /** A new identity is verified after this long. */
  readonly verifyDelayMs?: number;
  readonly snsRetryDelaysMs?: readonly number[];
  readonly snsTimeoutMs?: number;
  readonly snsConcurrency?: number;
  /** Real time; a test may bring its own. */
  readonly clock?: Clock;
  /** Simulated time. Without it, what the last run had in its data folder goes on. */
  readonly clockScale?: ClockScale | undefined;
}

export interface RunningSimulator {
  /** Origin of all AWS services, for `--endpoint-url`. */
  readonly endpoint: string;
  readonly adminUrl: string;
  /** The authority of the certificate that signs SNS messages. */
  readonly caPem: string;
  close(): Promise<void>;
}

interface Pending {
  readonly events: readonly PendingItem[];
  readonly deliveries: readonly PendingDelivery[];
}

/** Starts the simulator in this process. Rejects when a port is taken, with both ports released. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<RunningSimulator> {
  const host = options.host ?? '127.0.0.1';
  const { dataDir, seed = 1 } = options;
  if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true });
  const real = options.clock ?? new SystemClock();
  const store = new StateStore(dataDir, options.clockScale ?? REAL_TIME);
  if (options.clockScale !== undefined) store.state.clock = options.clockScale;
  const clock = new SimulatedClock(real, store.state.clock);
  store.state.signing ??= await createSigningIdentity(real);
  const signing = new SigningService(store.state.signing);
  store.touch();

  const arrivals = new ArrivalLog(dataDir === undefined ? undefined : join(dataDir, 'arrivals.jsonl'));
  const limits = new SendingLimitsService();
  const usage = new UsageMeter(store);
  arrivals.recover((row) => {
    limits.replay(row);
    usage.sent(row);
  });

  let endpoint = '';
  const origin = (): string => endpoint;
  const principals = new PrincipalsService(store, real);
  const faults = new FaultPlan(seed);
  const deliveries = new DeliveryService(store, signing, origin, clock, usage, {
    retryDelaysMs: options.snsRetryDelaysMs ?? [200, 2000, 10_000],
    timeoutMs: options.snsTimeoutMs ?? 15_000,
    concurrency: options.snsConcurrency ?? 16,
  });
  const sns = new SnsService(store, deliveries, principals, real, origin, usage, clock);
  const defaults = {
    bounceRate: 0,
    softBounceRate: 0,
    complaintRate: 0,
    rejectRate: 0,
    delayMs: options.eventDelayMs ?? 250,
  };
  const events = new EventsService(store, clock, sns, seed, defaults);
  const shelf = new MailShelf();
  const sends = new SendService(limits, arrivals, shelf, usage, events, clock);
  const verify = verifier(store, options.verifyDelayMs ?? 500);
  const ses = new SesService(store, sends, [
    ...accountRoutes(limits, clock),
    ...identityRoutes(verify),
    ...configurationSetRoutes(store),
    ...dedicatedIpRoutes(),
    ...suppressionRoutes(clock),
    ...templateRoutes(),
  ]);
  const loop = new LoopWatch();
  const edge = new AwsEdge({
    hearing: new Hearing(loop),
    clock,
    principals,
    sts: new StsService(principals, real),
    ses,
    sns,
    quotas: new ServiceQuotasService(store),
    signing,
    faults,
    arrivals,
    latency: { medianMs: options.latencyMs ?? 0, p99Ms: options.latencyP99Ms ?? (options.latencyMs ?? 0) * 5 },
    seed,
  });
  const reset = (): void => {
    events.reset();
    deliveries.reset();
    sns.notPublished = 0;
    faults.clear();
    limits.reset();
    sends.reset();
    usage.reset();
    arrivals.clear();
    shelf.clear();
    store.reset(options.clockScale ?? REAL_TIME);
    clock.scale = store.state.clock;
  };
  const admin = new AdminServer({
    store,
    clock,
    faults,
    events,
    deliveries,
    sns,
    limits,
    arrivals,
    shelf,
    usage,
    signing,
    reset,
  });

  try {
    endpoint = `http://${hostInUrl(host)}:${String(await listen(edge.server, host, options.port ?? 0, 'SIMULATOR_PORT'))}`;
    const adminPort = await listen(admin.server, host, options.adminPort ?? 0, 'SIMULATOR_ADMIN_PORT');
    const pending = takePending(dataDir);
    events.restore(pending.events);
    deliveries.restore(pending.deliveries);
    for (const identity of pendingIdentities(store)) verify(identity);
    if (dataDir !== undefined) writeFileSync(join(dataDir, 'ca.pem'), signing.identity.caPem);
    store.save();
    const close = once(async () => {
      loop.stop();
      await Promise.all([stop(edge.server), stop(admin.server)]);
      const left = { events: events.drain(), deliveries: await deliveries.drain() };
      keepPending(dataDir, left);
      arrivals.close();
      store.close();
    });
    return {
      endpoint,
      adminUrl: `http://${hostInUrl(host)}:${String(adminPort)}`,
      caPem: signing.identity.caPem,
      close,
    };
  } catch (error) {
    await Promise.all([stop(edge.server), stop(admin.server), deliveries.drain()]);
    arrivals.close();
    throw error;
  }
}

/** Those whose verification a stop or a crash cut off: without this they would stay pending for ever. */
function pendingIdentities(store: StateStore): IdentityState[] {
  return [...store.state.accounts.values()]
    .flatMap((account) => [...account.regions.values()])
    .flatMap((region) => [...region.identities.values()])
    .filter((identity) => identity.status === 'PENDING');
}

function verifier(store: StateStore, delayMs: number): (identity: IdentityState) => void {
  return (identity) => {
    if (store.state.identityVerification === 'manual') return;
    if (delayMs === 0) {
      identity.status = 'SUCCESS';
      return;
    }
    setTimeout(() => {
      if (identity.status !== 'PENDING') return;
      identity.status = 'SUCCESS';
      store.touch();
    }, delayMs).unref();
  };
}

/** The port listened on; a taken port is an error that names the setting to change. */
function listen(server: Server, host: string, port: number, setting: string): Promise<number> {
  const variables = { host: 'SIMULATOR_HOST', port: setting };
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(listenProblem(error, { host, port, variables }));
    });
    server.listen(port, host, () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) {
      resolve();
      return;
    }
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}

/** What a clean stop left to do; the file is used up by reading it, so that nothing is published twice by a second crash. */
function takePending(dataDir: string | undefined): Pending {
  const file = dataDir === undefined ? undefined : join(dataDir, 'pending.json');
  if (file === undefined || !existsSync(file)) return { events: [], deliveries: [] };
  const pending = JSON.parse(readFileSync(file, 'utf8')) as Pending;
  rmSync(file);
  return pending;
}

function keepPending(dataDir: string | undefined, pending: Pending): void {
  if (dataDir === undefined || pending.events.length + pending.deliveries.length === 0) return;
  writeFileSync(join(dataDir, 'pending.json'), JSON.stringify(pending), { mode: 0o600 });
}

function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= run());
}
