/** What each folder of src may import. A forbidden import fails `npm run check`. */
const DOORS = '^(node:)?(fs|fs/promises|net|http|https|http2|child_process|crypto|os|dns|timers|timers/promises|worker_threads|dgram|tls)$'

/** A folder may import itself and these. */
function only(folder, allowed) {
  return {
    name: `${folder.replaceAll('/', '-')}-imports`,
    severity: 'error',
    from: { path: `^src/${folder}/` },
    to: { path: '^src/', pathNot: [`^src/${folder}/`, ...allowed.map((other) => `^src/${other}/`)] },
  }
}

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'pure-core', severity: 'error', from: { path: '^src/(fleet|render)/' }, to: { path: DOORS } },
    only('fleet', []),
    only('render', ['fleet', 'ports']),
    only('ports', ['fleet']),
    only('git', ['fleet', 'ports']),
    only('secrets', ['fleet', 'ports']),
    only('store', ['fleet', 'ports']),
    only('reconcile', ['fleet', 'ports']),
    only('api', ['fleet', 'ports']),
    only('system', ['fleet', 'ports', 'render']),
    only('configuration', ['fleet']),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
}
