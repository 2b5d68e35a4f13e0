import { Global, Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ApiSettings } from './api.settings';
import { CostBuckets } from './graphql/cost-bucket.service';
import { Payloads } from './graphql/payload';
import { BillUploadController } from './http/bill-upload.controller';
import { DocsController } from './http/docs.controller';
import { GraphqlEdge } from './http/graphql-edge.middleware';
import { HealthController } from './http/health.controller';
import { InvoiceController } from './http/invoice.controller';
import { HttpErrorFilter } from './http/http-error.filter';
import { ReportFilesController } from './http/report-files.controller';
import { SnsWebhookController } from './http/sns-webhook.controller';

/** What stands between the network and the resolvers, and the few addresses that are not GraphQL. */
@Global()
@Module({})
export class EdgeModule {
  static forRoot(settings: ApiSettings): DynamicModule {
    return {
      module: EdgeModule,
      controllers: [
        BillUploadController,
        ReportFilesController,
        HealthController,
        DocsController,
        InvoiceController,
        SnsWebhookController,
      ],
      providers: [
        { provide: ApiSettings, useValue: settings },
        { provide: CostBuckets, useValue: new CostBuckets(settings.bucket) },
        { provide: APP_FILTER, useClass: HttpErrorFilter },
        GraphqlEdge,
        Payloads,
      ],
      exports: [ApiSettings, CostBuckets, Payloads],
    };
  }
}
