// Plain JavaScript that a much older Node can read, so that it says this instead of a syntax error.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  process.stderr.write(
    `fleetwright needs Node 24 or newer; this is Node ${process.versions.node}. Install it, or run \`npm ci\` and \`npm start\` in a checkout, which bring their own.\n`,
  )
  process.exit(2)
}
