import { Module, type DynamicModule } from '@nestjs/common';
import { BillingModule } from '../billing.module';
import { BillingPeriodsModule } from './billing-periods.module';
import { CloseFailpoints } from './close-failpoints';
import { CloseService } from './close.service';

export interface CloseOptions {
  /** InvoicingModule as the process has it. */
  readonly invoicing: DynamicModule;
  /** Where a rehearsal of a crash ends the process; nowhere unless said. */
  readonly failpoints?: CloseFailpoints;
}

/** The close of a month itself, for the worker. */
@Module({})
export class BillingCloseModule {
  static forRoot({ invoicing, failpoints = new CloseFailpoints() }: CloseOptions): DynamicModule {
    return {
      module: BillingCloseModule,
      imports: [BillingModule, BillingPeriodsModule, invoicing],
      providers: [CloseService, { provide: CloseFailpoints, useValue: failpoints }],
      exports: [CloseService, BillingPeriodsModule],
    };
  }
}
