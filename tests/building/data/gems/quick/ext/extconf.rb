require "mkmf"
create_makefile("quick")
