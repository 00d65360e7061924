Gem::Specification.new("quick", "1.0.0") do |s|
  s.summary = s.description = "answers in C"
  s.authors = ["a test"]
  s.files = ["ext/quick.c", "ext/extconf.rb"]
  s.extensions = ["ext/extconf.rb"]
end
