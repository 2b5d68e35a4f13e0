export { AuditModule } from './audit.module';
export { AuditService } from './audit.service';
export type { Author } from './audit.service';
