class PagesController < ActionController::Base
  def show
    render plain: "#{Rails.env} #{helpers.stylesheet_path("boat")}"
  end
end
