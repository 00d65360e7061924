# Makes gems again of those that the distribution has as packages, with all that they need: ruby repack.rb FOLDER NAME …
require "rubygems/package"
require "fileutils"

def needed(names, seen = {})
  names.each do |name|
    next if seen[name]
    spec = Gem::Specification.find_by_name(name)
    next if spec.default_gem?
    seen[name] = spec
    needed(spec.runtime_dependencies.map(&:name), seen)
  end
  seen.values
end

# Where its files lie: in a folder of its own, or among those of all packages.
def collect(spec, into)
  own = Dir["#{spec.full_gem_path}/{lib,bin,exe}/**/*"].select { |path| File.file?(path) }
  own_native = Dir["#{spec.extension_dir}/**/*.so"]
  own_native.each { |path| put(path, "#{into}/lib/#{path.delete_prefix("#{spec.extension_dir}/")}") }
  return own.each { |path| put(path, "#{into}/#{path.delete_prefix("#{spec.full_gem_path}/").sub(/\Aexe\//, "bin/")}") } if own.any? { |path| path.include?("/lib/") }
  package = `dpkg -S #{spec.loaded_from}`[/\A[^:]+/]
  `dpkg -L #{package}`.split("\n").each do |path|
    next unless File.file?(path)
    put(path, "#{into}/lib/#{$1}") if path =~ %r{/vendor_ruby/(?:\d+\.\d+\.\d+/)?(.*)\z}
  end
end

# A library that images for apps do not have lies beside what needs it, as in the gems that RubyGems has ready-made.
BROUGHT = /lib(?:exslt|xslt|xml2|gcrypt|gpg-error|icuuc|icudata|lzma)\.so/

def bring(native)
  `ldd #{native}`.scan(/=> (\S+)/).flatten.grep(BROUGHT).each { |path| put(path, "#{File.dirname(native)}/#{File.basename(path)}") }
  Dir["#{File.dirname(native)}/*.so*"].each { |path| system("patchelf", "--set-rpath", "$ORIGIN", path, exception: true) }
end

def put(from, to)
  FileUtils.mkdir_p(File.dirname(to))
  FileUtils.cp(from, to)
end

out = ARGV.shift
needed(ARGV).each do |spec|
  into = "/tmp/repack/#{spec.full_name}"
  FileUtils.mkdir_p(into)
  collect(spec, into)
  Dir["#{into}/**/*.so"].each { |path| bring(path) }
  spec.executables.each { |name| put("/usr/bin/#{name}", "#{into}/bin/#{name}") if File.file?("/usr/bin/#{name}") && !File.exist?("#{into}/bin/#{name}") }
  native = !Dir["#{into}/**/*.so"].empty?
  made = Gem::Specification.new(spec.name, spec.version) do |s|
    s.summary = s.description = "of a package"
    s.authors = ["a test"]
    s.platform = Gem::Platform.local if native
    s.bindir = "bin"
    s.executables = spec.executables.select { |name| File.exist?("#{into}/bin/#{name}") }
    s.files = Dir.chdir(into) { Dir["**/*"].select { |path| File.file?(path) } }
    s.require_paths = ["lib"] | spec.raw_require_paths.select { |path| File.directory?("#{into}/#{path}") }
    spec.runtime_dependencies.each { |d| s.add_dependency(d.name, *d.requirement.as_list) }
  end
  FileUtils.mkdir_p(out)
  Dir.chdir(into) { FileUtils.mv(Gem::Package.build(made, true), out) }
end
