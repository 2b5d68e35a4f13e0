import type { Author } from '@libs/audit';
import { UnitOfWork } from '@libs/database';
import type { Page, PageRequest, PlanId, TenantId } from '@libs/kernel';
import { PlanService } from '@libs/plans';
import { TenantService } from '@libs/tenancy';
import { Injectable } from '@nestjs/common';

/** Name of the tenant, and code of its plan. */
const NAME = 'postfleet-operations';
const PAGE = 100;

/** The tenant that operators' own test mail belongs to. Made when it is first needed, found by its name afterwards. */
@Injectable()
export class OperationsTenant {
  private known: TenantId | undefined;

  constructor(
    private readonly uow: UnitOfWork,
    private readonly plans: PlanService,
    private readonly tenants: TenantService,
  ) {}

  async find(): Promise<TenantId | undefined> {
    this.known ??= (
      await search(
        (page) => this.tenants.list(page),
        (tenant) => tenant.name === NAME,
      )
    )?.id;
    return this.known;
  }

  /** @param tier of the plan, when the plan has to be made; the tenant is placed by hand, whatever its tier */
  async ensure(tier: string, by: Author): Promise<TenantId> {
    const found = await this.find();
    if (found !== undefined) return found;
    this.known = await this.uow.forSystem(async () => {
      const plan = await search(
        (page) => this.plans.list(page),
        ({ code }) => code === NAME,
      );
      const planId = plan?.id ?? (await this.makePlan(tier, by));
      return (await this.tenants.create({ name: NAME, planId }, by)).id;
    });
    return this.known;
  }

  private async makePlan(tier: string, by: Author): Promise<PlanId> {
    const plan = await this.plans.create(
      {
        code: NAME,
        name: 'Test mail of the operators',
        tier,
        streams: ['TRANSACTIONAL'],
        weight: 1,
        recipientsPerDay: 1_000n,
        recipientsPerSecond: '5',
        dedicatedIps: false,
        baseFeeMicro: 0n,
      },
      by,
    );
    return plan.id;
  }
}

/** The first row of a paged list that is wanted. */
async function search<Row extends { readonly id: string }>(
  list: (page: PageRequest) => Promise<Page<Row>>,
  wanted: (row: Row) => boolean,
): Promise<Row | undefined> {
  let after: string | undefined;
  for (;;) {
    const page = await list({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    const found = page.rows.find(wanted);
    after = page.rows.at(-1)?.id;
    if (found || !page.hasNext || after === undefined) return found;
  }
}
