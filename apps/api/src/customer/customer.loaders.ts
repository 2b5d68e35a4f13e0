import { CostService, InvoiceRecords, TenantBilling } from '@libs/billing';
import { UnitOfWork } from '@libs/database';
import { formatUsd, type MessageId, type TenantId } from '@libs/kernel';
import { MessageService, type Message as MessageRow, type TimelineEvent, type Wait } from '@libs/sending';
import type { KeyPrincipal } from '@libs/tenancy';
import { Injectable } from '@nestjs/common';
import DataLoader from 'dataloader';
import { ApiSettings } from '../api.settings';
import { toConnection, type Connection, type PagePlan } from '../graphql/connection.type';
import { loaderById, loaderOfMany, type Loader } from '../graphql/loaders';
import type { CustomerContext } from '../graphql/request.context';
import { toInvoice } from './billing/invoice.mapping';
import type { Invoice } from './billing/invoice.type';
import { toEvent, toMessage, toTenantEvent } from './message/message.mapping';
import type { EventType, Message } from './message/message.type';

export type CustomerRequest = CustomerContext<CustomerLoaders>;

export interface TimelineKey {
  readonly messageId: MessageId;
  readonly plan: PagePlan;
}

/** Everything below a list, fetched once per level; made for each request, so that nothing crosses tenants. */
export interface CustomerLoaders {
  readonly messages: Loader<Message | null>;
  readonly events: Loader<EventType | null>;
  readonly waits: Loader<Wait | null>;
  readonly invoices: Loader<Invoice | null>;
  readonly creditNotes: Loader<Invoice[]>;
  readonly timelines: DataLoader<TimelineKey, Connection<EventType>, string>;
  /** US dollars; null in test mode and before it was sent. */
  readonly costs: DataLoader<MessageRow, string | null, string>;
}

@Injectable()
export class CustomerLoaderFactory {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly messages: MessageService,
    private readonly costs: CostService,
    private readonly billing: TenantBilling,
    private readonly records: InvoiceRecords,
    private readonly settings: ApiSettings,
  ) {}

  for({ tenantId, mode, scopes }: KeyPrincipal): CustomerLoaders {
    const messages = loaderById(
      // A test key reads test mail, a live key live mail: the other mode's ids answer like unknown ones.
      async (ids) => (await this.messages.findByIds(tenantId, ids)).filter((row) => row.mode === mode),
      (row) => row.id,
      toMessage,
    );
    return {
      messages,
      events: new DataLoader(async (ids) => {
        const found = await this.events(tenantId, ids, messages);
        const others = scopes.includes('billing:read') ? ids.filter((id) => !found.has(id)) : [];
        if (others.length > 0) {
          for (const row of await this.billing.findEvents(tenantId, others)) found.set(row.id, toTenantEvent(row));
        }
        return ids.map((id) => found.get(id) ?? null);
      }),
      invoices: loaderById(
        (ids) => this.records.findByIds(tenantId, ids),
        (row) => row.id,
        toInvoice(this.settings),
      ),
      creditNotes: loaderOfMany(
        (ids) => this.records.creditNotesOf(tenantId, ids),
        (row) => row.corrects ?? '',
        toInvoice(this.settings),
      ),
      waits: new DataLoader(async (ids) => {
        const waits = await this.messages.waits(tenantId, ids as readonly MessageId[]);
        return ids.map((id) => waits.get(id as MessageId) ?? null);
      }),
      timelines: new DataLoader((keys) => this.timelines(tenantId, keys), {
        cacheKeyFn: ({ messageId, plan }) => `${messageId} ${plan.limit} ${plan.after ?? ''}`,
      }),
      costs: new DataLoader((rows) => this.costsOf(tenantId, rows), { cacheKeyFn: (row) => row.id }),
    };
  }

  /** Of those messages that are shown. */
  private async events(
    tenant: TenantId,
    ids: readonly string[],
    messages: Loader<Message | null>,
  ): Promise<Map<string, EventType>> {
    const rows = await this.messages.events(tenant, ids);
    const shown = await Promise.all(rows.map((row) => messages.load(row.messageId)));
    return new Map(rows.filter((_, place) => shown[place]).map((row) => [row.id, toEvent(row)]));
  }

  /** One transaction for the timelines of a page of messages. */
  private timelines(tenant: TenantId, keys: readonly TimelineKey[]): Promise<Connection<EventType>[]> {
    return this.uow.forTenant(tenant, async () => {
      const found: Connection<EventType>[] = [];
      for (const { messageId, plan } of keys) {
        const page = await this.messages.timeline(tenant, messageId, plan);
        found.push(toConnection<TimelineEvent, EventType>(plan, page, (row) => row.id, toEvent));
      }
      return found;
    });
  }

  private async costsOf(tenant: TenantId, rows: readonly MessageRow[]): Promise<(string | null)[]> {
    const live = rows.filter((row) => row.mode === 'LIVE' && row.sentAt !== null);
    const sent = await this.messages.sentAttempts(
      tenant,
      live.map((row) => row.id),
    );
    const prices = await this.costs.messageCosts(
      sent.map((attempt) => ({
        id: attempt.messageId,
        recipients: BigInt(attempt.recipients),
        sendingAccountId: attempt.sendingAccountId,
        at: attempt.at,
      })),
    );
    return rows.map((row) => {
      const price = prices.get(row.id);
      return price === undefined ? null : formatUsd(price);
    });
  }
}
