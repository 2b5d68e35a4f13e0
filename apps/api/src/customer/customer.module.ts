import { Module } from '@nestjs/common';
import { ApiKeyResolver } from './api-key/api-key.resolver';
import { BillingResolver } from './billing/billing.resolver';
import { InvoiceResolver } from './billing/invoice.resolver';
import { CustomerLoaderFactory } from './customer.loaders';
import { EventResolver } from './message/event.resolver';
import { MessageResolver } from './message/message.resolver';
import { NodeResolver } from './node/node.resolver';
import { SendResolver } from './send/send.resolver';
import { SuppressionResolver } from './suppression/suppression.resolver';
import { UsageResolver } from './usage/usage.resolver';
import { ViewerResolver } from './viewer/viewer.resolver';

/** The customers' endpoint: everything in it is one tenant's. */
export const customerResolvers = [
  ApiKeyResolver,
  BillingResolver,
  EventResolver,
  InvoiceResolver,
  MessageResolver,
  NodeResolver,
  SendResolver,
  SuppressionResolver,
  UsageResolver,
  ViewerResolver,
];

@Module({ providers: [...customerResolvers, CustomerLoaderFactory], exports: [CustomerLoaderFactory] })
export class CustomerModule {}
