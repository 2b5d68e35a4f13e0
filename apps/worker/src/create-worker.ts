import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { WorkerConfig } from '@libs/config';
import type { INestApplication, NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { WorkerModule, type Resources } from './worker.module';
import { Worker } from './worker.service';

export interface RunningWorker {
  readonly app: INestApplication;
  readonly worker: Worker;
}

/** A name that no other process ever has, even on the same host with the same WORKER_ID. */
export function workerName(configured: string | undefined): string {
  const stem = (configured ?? hostname()).replaceAll(/[^A-Za-z0-9_.-]/g, '-').slice(0, 64);
  return `${stem}-${randomBytes(6).toString('hex')}`;
}

/** Builds the worker with everything it needs open; it does nothing until `worker.start()`. */
export async function createWorker(config: WorkerConfig, resources: Resources): Promise<RunningWorker> {
  const options: NestApplicationOptions = { bodyParser: false, logger: resources.log, abortOnError: false };
  const app = await NestFactory.create<NestExpressApplication>(WorkerModule.forRoot(config, resources), options);
  app.disable('x-powered-by');
  return { app, worker: app.get(Worker) };
}
