import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import type { ApiConfig } from '@libs/config';
import { Log } from '@libs/observability';
import { Module, type DynamicModule } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import type { Request, Response } from 'express';
import { AdminLoaderFactory } from './admin/admin.loaders';
import { AdminModule } from './admin/admin.module';
import { ApiSettings } from './api.settings';
import { CustomerLoaderFactory } from './customer/customer.loaders';
import { CustomerModule } from './customer/customer.module';
import { EdgeModule } from './edge.module';
import { apolloOptions } from './graphql/apollo.options';
import { CostBuckets } from './graphql/cost-bucket.service';
import { AdminSchema, CustomerSchema } from './graphql/endpoint.schema';
import { adminContext, customerContext } from './graphql/request.context';
import { LibsModule, type Resources } from './libs.module';

export const CUSTOMER_PATH = '/graphql';
export const ADMIN_PATH = '/admin/graphql';

interface Exchange {
  readonly req: Request;
  readonly res: Response;
}

const customerEndpoint = GraphQLModule.forRootAsync<ApolloDriverConfig>({
  driver: ApolloDriver,
  imports: [CustomerModule],
  inject: [ApiSettings, CostBuckets, Log, CustomerLoaderFactory],
  useFactory: (settings: ApiSettings, buckets: CostBuckets, log: Log, loaders: CustomerLoaderFactory) => ({
    ...apolloOptions({ settings, buckets, log }),
    path: CUSTOMER_PATH,
    include: [CustomerModule, CustomerSchema],
    context: (exchange: Exchange) => customerContext(exchange, (who) => loaders.for(who)),
  }),
});

const adminEndpoint = GraphQLModule.forRootAsync<ApolloDriverConfig>({
  driver: ApolloDriver,
  imports: [AdminModule],
  inject: [ApiSettings, CostBuckets, Log, AdminLoaderFactory],
  useFactory: (settings: ApiSettings, buckets: CostBuckets, log: Log, loaders: AdminLoaderFactory) => ({
    ...apolloOptions({ settings, buckets, log }),
    path: ADMIN_PATH,
    include: [AdminModule, AdminSchema],
    context: (exchange: Exchange) => adminContext(exchange, () => loaders.create()),
  }),
});

export interface ApiOptions {
  readonly config: ApiConfig;
  readonly resources: Resources;
  readonly settings: ApiSettings;
  /** Which schema is built first; a test swaps them, because types once leaked from the first into the second. */
  readonly adminFirst?: boolean;
}

@Module({})
export class ApiModule {
  static forRoot(options: ApiOptions): DynamicModule {
    const endpoints =
      options.adminFirst === true ? [adminEndpoint, customerEndpoint] : [customerEndpoint, adminEndpoint];
    return {
      module: ApiModule,
      imports: [
        LibsModule.forRoot(options.config, options.resources),
        EdgeModule.forRoot(options.settings),
        ...endpoints,
      ],
    };
  }
}
