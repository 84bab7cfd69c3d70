#!/usr/bin/env node
// Plain JavaScript that old Nodes can parse: it names the version needed instead of crashing inside a native module
// (better-sqlite3 13 ends Node 20 with a segmentation fault). Also the only place that ends the process.

var needed = [22, 19]
var withoutThreads = '--no-maglev --no-concurrent-sparkplug'
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
  setV8Flags()
  keepCompiled()
  import('../dist/main.js').then(
    function start(program) {
      program.main(process).then(end)
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

// Two threads of V8's that compile: process.exit() waits for them, and they may need the main thread to collect garbage first. Then
// both wait for ever (https://github.com/nodejs/node/issues/54918): under load one `hoop proxy` in forty stayed behind like
// that, and with it whoever read its stderr to the end. So they compile nothing here. A gateway would be slow for its first
// minutes without them; it has the time to let them finish before it ends.
function end(code) {
  if (!runsForLong()) process.exit(code)
  setFlags(withoutThreads)
  setTimeout(process.exit, 100, code)
}

function runsForLong() {
  return process.argv[2] === 'gateway'
}

// And every 64 MB of buffers, however short they live, V8 looks through its whole heap. It need not: what they hold counts as
// memory like any other then. Copying a file cost the gateway twice the processor time before. Other versions do not know the flag.
function setV8Flags() {
  if (!runsForLong()) setFlags(withoutThreads)
  if (parseInt(process.versions.v8, 10) === 13) setFlags('--external-memory-accounted-in-global-limit')
}

function setFlags(flags) {
  process.getBuiltinModule('node:v8').setFlagsFromString(flags)
}
