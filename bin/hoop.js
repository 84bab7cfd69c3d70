#!/usr/bin/env node
// Plain JavaScript that old Nodes can parse: it names the version needed instead of crashing inside a native module
// (better-sqlite3 13 ends Node 20 with a segmentation fault). Also the only place that ends the process.

var needed = [22, 19]
var found = process.versions.node.split('.').map(Number)

if (found[0] < needed[0] || (found[0] === needed[0] && found[1] < needed[1])) {
  process.stderr.write(
    'hoop: needs Node.js ' +
      needed.join('.') +
      ' or newer; this is ' +
      process.versions.node +
      ' (' +
      process.execPath +
      ')\n' +
      '  hint: install a newer Node.js, or run "npx hoop" inside the project: it brings its own Node.js\n',
  )
  process.exitCode = 1
} else {
  keepCompiled()
  import('../dist/main.js').then(
    function start(program) {
      program.main(process).then(function end(code) {
        process.exit(code)
      })
    },
    function missing(error) {
      process.stderr.write('hoop: cannot load the program (' + error.message + ')\n')
      process.exitCode = 1
    },
  )
}

// What V8 made of the program is kept for the next start. In a folder of the person's own: code that somebody else put into
// a shared one would run as ours. Where that cannot be, it starts as before.
function keepCompiled() {
  var home = process.env.XDG_CACHE_HOME || (process.env.HOME && process.env.HOME + '/.cache')
  var modules = process.getBuiltinModule('node:module')
  if (home && home.charAt(0) === '/') modules.enableCompileCache(home + '/hoop/compiled')
}
