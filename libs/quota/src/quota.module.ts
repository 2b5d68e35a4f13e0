import { Module } from '@nestjs/common';
import { Ledger } from './ledger.service';
import { ScriptRunner } from './script-runner.repository';
import { TenantLeases } from './tenant-leases.service';

/** The quota ledger. Needs QueueingModule (global) and EngineClock (global). */
@Module({ providers: [ScriptRunner, Ledger, TenantLeases], exports: [Ledger, TenantLeases] })
export class QuotaModule {}
