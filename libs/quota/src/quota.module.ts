import { Module } from '@nestjs/common';
import { Ledger } from './ledger.service';
import { ScriptRunner } from './script-runner.repository';

/** The quota ledger. Needs QueueingModule (global) and EngineClock (global). */
@Module({ providers: [ScriptRunner, Ledger], exports: [Ledger] })
export class QuotaModule {}
