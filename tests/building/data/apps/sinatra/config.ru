require "bundler/setup"
require "sinatra/base"
require "quick"

class Shop < Sinatra::Base
  set :host_authorization, permitted_hosts: []

  get("/") { "#{Quick.answer} #{ENV["RACK_ENV"]}" }
end

run Shop
