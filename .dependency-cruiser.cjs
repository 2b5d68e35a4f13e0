/**
 * The layers of the project, lowest first. A lib imports what stands in a lower layer; siblings do not import each other,
 * except the pairs named in `beside`. Changing this list is an architecture decision.
 */
const layers = [
  ['kernel'],
  ['config', 'database', 'queueing', 'observability', 'aws', 'audit'],
  ['tenancy', 'plans'],
  ['fleet'],
  ['placement', 'quota', 'deliverability'],
  ['sending'],
  ['billing'],
];

/** Technical libs that rest on another technical lib. */
const beside = {
  queueing: ['database', 'config'],
  audit: ['database'],
  aws: ['config'],
  observability: ['config'],
  database: [],
};

const libs = layers.flat();
const folder = (names) => `^libs/(${names.join('|')})/`;

const looksDown = libs.map((lib) => {
  const level = layers.findIndex((layer) => layer.includes(lib));
  const allowed = [lib, ...layers.slice(0, level).flat(), ...(beside[lib] ?? [])];
  return {
    name: `${lib}-looks-down`,
    comment: `${lib} may import: ${allowed.join(', ')}`,
    severity: 'error',
    from: { path: `^libs/${lib}/` },
    to: { path: '^(libs|apps|tools|test|bench|faults|simulation|migrations)/', pathNot: folder(allowed) },
  };
});

const test = '(\\.spec\\.ts$|/testing/|^test/)';

module.exports = {
  forbidden: [
    ...looksDown,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'known-libs-only',
      comment: 'A new lib is given its layer first.',
      severity: 'error',
      from: { path: '^libs/', pathNot: folder(libs) },
      to: {},
    },
    {
      name: 'front-door-only',
      comment: 'A lib is entered through its index.',
      severity: 'error',
      from: { path: '^(apps|tools|migrations|bench|faults)/' },
      to: { path: '^libs/[^/]+/src/(?!index\\.ts$)' },
    },
    {
      name: 'front-door-between-libs',
      severity: 'error',
      from: { path: '^libs/([^/]+)/' },
      to: { path: '^libs/[^/]+/src/(?!index\\.ts$)', pathNot: '^libs/$1/' },
    },
    {
      name: 'apps-stand-alone',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'typeorm-in-its-place',
      severity: 'error',
      from: { path: '^(apps|libs|tools)/', pathNot: `(^libs/database/|\\.entity\\.ts$|\\.repository\\.ts$|${test})` },
      to: { path: 'node_modules/typeorm' },
    },
    {
      name: 'pg-in-its-place',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: `(^libs/database/|${test})` },
      to: { path: 'node_modules/(pg|@types/pg)/' },
    },
    {
      name: 'graphql-in-the-api-only',
      severity: 'error',
      from: { path: '^(apps|libs|tools)/', pathNot: '^apps/api/' },
      to: { path: 'node_modules/(@nestjs/graphql|@nestjs/apollo|@apollo/|graphql)' },
    },
    {
      name: 'bull-in-its-place',
      severity: 'error',
      from: { path: '^(apps|libs|tools)/', pathNot: '^(libs/queueing|apps/worker)/' },
      to: { path: 'node_modules/(bull|@nestjs/bull|@types/bull)' },
    },
    {
      name: 'aws-sdk-in-its-place',
      severity: 'error',
      from: { path: '^(apps|libs|tools)/', pathNot: `(^libs/aws/|${test})` },
      to: { path: 'node_modules/(@aws-sdk|@smithy)/' },
    },
    {
      name: 'no-test-code-in-the-product',
      severity: 'error',
      from: { path: '^(apps|libs|tools|migrations)/', pathNot: test },
      to: { path: test },
    },
    {
      name: 'kernel-has-no-framework',
      severity: 'error',
      from: { path: '^libs/kernel/' },
      to: { path: 'node_modules/@nestjs' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'default', 'types'] },
    exclude: { path: '(^dist/|^\\.data/|^test/architecture/planted/)' },
  },
};
