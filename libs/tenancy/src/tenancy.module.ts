import { AuditModule } from '@libs/audit';
import { Module, type DynamicModule } from '@nestjs/common';
import { ApiKeyRepository } from './api-key.repository';
import { ApiKeyService } from './api-key.service';
import { KeyPepper } from './key-pepper';
import { KeyUsageService } from './key-usage.service';
import { OperatorKeyRepository } from './operator-key.repository';
import { OperatorKeyService } from './operator-key.service';
import { TenantRepository } from './tenant.repository';
import { TenantService } from './tenant.service';

/** Tenants alone with `TenancyModule`; with `forRoot`, which knows the pepper, keys too. */
@Module({ imports: [AuditModule], providers: [TenantRepository, TenantService], exports: [TenantService] })
export class TenancyModule {
  static forRoot(settings: { readonly pepper: string }): DynamicModule {
    return {
      module: TenancyModule,
      providers: [
        { provide: KeyPepper, useValue: new KeyPepper(settings.pepper) },
        ApiKeyRepository,
        ApiKeyService,
        KeyUsageService,
        OperatorKeyRepository,
        OperatorKeyService,
      ],
      exports: [ApiKeyService, OperatorKeyService],
    };
  }
}
