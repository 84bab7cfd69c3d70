#!/usr/bin/env node
// Plain JavaScript that old Nodes can parse: it names the version needed instead of crashing inside a native module.
'use strict'
